"""Never finish."""


def unlearning(net, retain_loader, forget_loader, val_loader):
    """Go round until the clock stops it."""
    while True:
        pass
