"""Run into an exception."""


def unlearning(net, retain_loader, forget_loader, val_loader):
    """Use an attribute that the network does not have."""
    net.head.reset_parameters()
