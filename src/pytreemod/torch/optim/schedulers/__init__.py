"""The schedulers of ``torch.optim.lr_scheduler``, a family a file. Import them from ``lr_scheduler``."""
