"""A submission that scores: train on for one epoch, on the images to be kept alone.

Lethe calls unlearning() once for each run, in a fresh process with another seed, and grades the networks that come out of
all the runs together. Good ones cannot be told from networks that were trained from scratch without the forget set.
"""

import torch
from torch import nn

EPOCHS = 1
LEARNING_RATE = 0.05


def unlearning(net, retain_loader, forget_loader, val_loader):
    """Change the network in place (or return another one of the same architecture).

    The names of the arguments decide what you get: net, retain_loader, forget_loader, val_loader; class_weights and
    device too, if you name them.
    """
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=0.9, weight_decay=5e-4)
    net.train()
    for _ in range(EPOCHS):
        # A batch is (images, labels). In some competitions it is a dict: its data page names the keys.
        for images, labels in retain_loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images), labels).backward()
            optimizer.step()

    # To try next, and to see what each does to the score with `lethe local`:
    # - a step or two uphill on forget_loader first: forgets more, and costs accuracy that later epochs win back;
    # - noise on the weights, or a fresh last layer: lets runs differ as much as networks trained from scratch do;
    # - a higher LEARNING_RATE, more EPOCHS, as far as the cutoff allows.
    # Do not set seeds here: each run has its own, and runs that come out alike are easy to tell from retraining.
