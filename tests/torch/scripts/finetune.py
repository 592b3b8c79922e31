"""A pretrained residual network, frozen but for its last layers; checkpoints saved and resumed."""

import copy
import os
import tempfile

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
rng = np.random.default_rng(0)
X = torch.from_numpy(rng.standard_normal((256, 3, 8, 8)).astype("float32"))
Y = torch.from_numpy(rng.integers(0, 5, 256))


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.downsample = None
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.layer1 = self._make_layer(4, 4, 1)
        self.layer2 = self._make_layer(4, 8, 2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)):
                nn.init.constant_(m.weight, 1)
                nn.init.constant_(m.bias, 0)

    def _make_layer(self, a, b, stride):
        layers = [BasicBlock(a, b, stride)]
        return nn.Sequential(*layers)

    def forward(self, x):
        x = self.layer2(self.layer1(self.stem(x)))
        x = torch.flatten(self.avgpool(x), 1)
        return self.fc(x)


pretrained = ResNet()
folder = tempfile.mkdtemp()
path = os.path.join(folder, "resnet.pt")
torch.save(pretrained.state_dict(), path)

model = ResNet()
state = torch.load(path, map_location="cpu", weights_only=True)
print(len(state), list(state)[:3])
model.load_state_dict(state)
for param in model.parameters():
    param.requires_grad = False
num_ftrs = model.fc.in_features
model.fc = nn.Linear(num_ftrs, 5)
model.layer2.requires_grad_(True)
print([n for n, p in model.named_parameters() if p.requires_grad][:4])
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(
    filter(lambda p: p.requires_grad, model.parameters()), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4
)
exp_lr_scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
dataloaders = {
    "train": DataLoader(TensorDataset(X[:160], Y[:160]), batch_size=16, shuffle=True),
    "val": DataLoader(TensorDataset(X[160:208], Y[160:208]), batch_size=16),
}
dataset_sizes = {k: len(v.dataset) for k, v in dataloaders.items()}
best_model_wts = copy.deepcopy(model.state_dict())
best_acc = 0.0
for _epoch in range(2):
    for phase in ["train", "val"]:
        if phase == "train":
            model.train()
        else:
            model.eval()
        running_loss = 0.0
        running_corrects = 0
        for inputs, labels in dataloaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == "train"):
                outputs = model(inputs)
                _, preds = torch.max(outputs, 1)
                loss = criterion(outputs, labels)
                if phase == "train":
                    loss.backward()
                    optimizer.step()
            running_loss += loss.item() * inputs.size(0)
            running_corrects += torch.sum(preds == labels.data)
            print(f"loss {loss.item():.6f}")
        if phase == "train":
            exp_lr_scheduler.step()
        epoch_loss = running_loss / dataset_sizes[phase]
        epoch_acc = running_corrects.double() / dataset_sizes[phase]
        print(f"{phase} Loss: {epoch_loss:.4f} Acc: {epoch_acc:.4f}")
        if phase == "val" and epoch_acc > best_acc:
            best_acc = epoch_acc
            best_model_wts = copy.deepcopy(model.state_dict())
print(f"Best val Acc: {best_acc:4f}")
model.load_state_dict(best_model_wts)
checkpoint = {
    "epoch": 3,
    "model_state_dict": model.state_dict(),
    "optimizer_state_dict": optimizer.state_dict(),
    "loss": loss,
}
torch.save(checkpoint, path)
checkpoint = torch.load(path)
model2 = ResNet(5)
print(model2.load_state_dict(checkpoint["model_state_dict"]))
optimizer2 = torch.optim.SGD([p for n, p in model2.named_parameters() if n.startswith(("layer2", "fc"))], lr=0.5)
optimizer2.load_state_dict(checkpoint["optimizer_state_dict"])
print(optimizer2.param_groups[0]["lr"], checkpoint["epoch"])
model2.train()
for _k in range(3):
    loss = criterion(model2(X[:16]), Y[:16])
    optimizer2.zero_grad()
    loss.backward()
    optimizer2.step()
    print(f"resumed {loss.item():.6f}")
