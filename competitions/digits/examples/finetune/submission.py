"""Train on for one epoch, on the images to be kept alone, and let the others fade."""

import torch
from torch import nn

EPOCHS = 1
LEARNING_RATE = 0.05


def unlearning(net, retain_loader, forget_loader, val_loader):
    """Change the network in place; the forget set is never looked at."""
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=0.9, weight_decay=5e-4)
    net.train()
    for _ in range(EPOCHS):
        for images, labels in retain_loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images), labels).backward()
            optimizer.step()
