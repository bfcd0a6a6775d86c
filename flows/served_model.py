"""The code MLflow runs to load and call a logged model ("models from code")."""

from importlib import import_module

import mlflow
import numpy as np
from mlflow.pyfunc import PythonModel


class ServedTask(PythonModel):
    """Any domain's trained task: named arrays in, named arrays out."""

    def load_context(self, context):
        from domains.task import load_task

        self.domain, self.task, _ = load_task(context.artifacts["model"])
        self.infer = import_module(f"domains.{self.domain}.predict").infer

    def predict(self, context, model_input, params=None):
        arrays = {str(name): np.asarray(value) for name, value in dict(model_input).items()}
        return self.infer(self.task, arrays)


mlflow.models.set_model(ServedTask())
