"""Pipes that have samples by key: ``torch.utils.data.datapipes.map``."""

from pytreemod.torch.utils.data.datapipes.map.pipes import BatcherMapDataPipe as Batcher
from pytreemod.torch.utils.data.datapipes.map.pipes import ConcaterMapDataPipe as Concater
from pytreemod.torch.utils.data.datapipes.map.pipes import MapperMapDataPipe as Mapper
from pytreemod.torch.utils.data.datapipes.map.pipes import SequenceWrapperMapDataPipe as SequenceWrapper
from pytreemod.torch.utils.data.datapipes.map.pipes import ZipperMapDataPipe as Zipper
from pytreemod.torch.utils.data.datapipes.map.shuffling import ShufflerIterDataPipe as Shuffler

__all__ = ["Batcher", "Concater", "Mapper", "SequenceWrapper", "Shuffler", "Zipper"]
