"""Forget nothing: the original model, just as it came."""


def unlearning(net, retain_loader, forget_loader, val_loader):
    """Leave the network as it is; returning None means that it was changed in place, or not at all."""
