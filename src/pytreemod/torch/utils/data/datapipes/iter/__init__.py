"""Pipes that pass samples on one after the other: ``torch.utils.data.datapipes.iter``."""

from pytreemod.torch.utils.data.datapipes.iter.applying import CollatorIterDataPipe as Collator
from pytreemod.torch.utils.data.datapipes.iter.applying import FilterIterDataPipe as Filter
from pytreemod.torch.utils.data.datapipes.iter.applying import MapperIterDataPipe as Mapper
from pytreemod.torch.utils.data.datapipes.iter.files import FileListerIterDataPipe as FileLister
from pytreemod.torch.utils.data.datapipes.iter.files import FileOpenerIterDataPipe as FileOpener
from pytreemod.torch.utils.data.datapipes.iter.files import StreamReaderIterDataPipe as StreamReader
from pytreemod.torch.utils.data.datapipes.iter.grouping import BatcherIterDataPipe as Batcher
from pytreemod.torch.utils.data.datapipes.iter.grouping import GrouperIterDataPipe as Grouper
from pytreemod.torch.utils.data.datapipes.iter.grouping import UnBatcherIterDataPipe as UnBatcher
from pytreemod.torch.utils.data.datapipes.iter.joining import ConcaterIterDataPipe as Concater
from pytreemod.torch.utils.data.datapipes.iter.joining import MultiplexerIterDataPipe as Multiplexer
from pytreemod.torch.utils.data.datapipes.iter.joining import ZipperIterDataPipe as Zipper
from pytreemod.torch.utils.data.datapipes.iter.ordering import SamplerIterDataPipe as Sampler
from pytreemod.torch.utils.data.datapipes.iter.ordering import ShufflerIterDataPipe as Shuffler
from pytreemod.torch.utils.data.datapipes.iter.sharding import ShardingFilterIterDataPipe as ShardingFilter
from pytreemod.torch.utils.data.datapipes.iter.splitting import DemultiplexerIterDataPipe as Demultiplexer
from pytreemod.torch.utils.data.datapipes.iter.splitting import ForkerIterDataPipe as Forker
from pytreemod.torch.utils.data.datapipes.iter.wrapping import IterableWrapperIterDataPipe as IterableWrapper

__all__ = [
    "Batcher",
    "Collator",
    "Concater",
    "Demultiplexer",
    "FileLister",
    "FileOpener",
    "Filter",
    "Forker",
    "Grouper",
    "IterableWrapper",
    "Mapper",
    "Multiplexer",
    "Sampler",
    "ShardingFilter",
    "Shuffler",
    "StreamReader",
    "UnBatcher",
    "Zipper",
]
