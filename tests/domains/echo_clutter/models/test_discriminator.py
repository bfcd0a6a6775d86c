"""The adversarial game: who has gradients from what, and what is seen."""

import torch

from domains.echo_clutter.models.discriminator import Discriminator, adversarial_losses


def game():
    torch.manual_seed(0)
    discriminator = Discriminator(4, (1, 1))
    clean = 100 * torch.rand(2, 4, 32, 32)
    cluttered = clean.clone()
    cluttered[:, :, 8:16, 8:16] += 120
    filtered = (cluttered - 40).requires_grad_()
    return discriminator, filtered, clean, cluttered


def test_each_loss_teaches_one_player_alone():
    discriminator, filtered, clean, cluttered = game()
    fooled, judged = adversarial_losses(discriminator, filtered, clean, cluttered)
    fooled.backward(retain_graph=True)
    assert filtered.grad.abs().sum() > 0
    assert all(p.grad is None for p in discriminator.parameters())
    filtered.grad = None
    judged.backward()
    assert filtered.grad is None
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in discriminator.parameters())


def test_pixels_without_clutter_are_not_seen():
    discriminator, filtered, clean, cluttered = game()
    before = adversarial_losses(discriminator, filtered, clean, cluttered)[0]
    changed = filtered.detach().clone()
    changed[:, :, 20:] += 50  # away from the clutter
    assert torch.equal(adversarial_losses(discriminator, changed, clean, cluttered)[0], before)


def test_the_discriminator_learns_to_tell_clean_from_cluttered():
    discriminator, _, clean, cluttered = game()
    optimizer = torch.optim.Adam(discriminator.parameters(), 3e-3)
    for _ in range(30):
        judged = adversarial_losses(discriminator, cluttered, clean, cluttered)[1]
        optimizer.zero_grad()
        judged.backward()
        optimizer.step()
    assert judged < 0.2  # 0.69 is chance
