"""Define a function, but not the one that is called."""


def forget(net, retain_loader, forget_loader, val_loader):
    """Wait for ever to be called."""
