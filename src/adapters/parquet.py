"""A dataset as Parquet."""

from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..domain.dataset import COLUMNS, Dataset


def dataset_parquet(dataset: Dataset) -> bytes:
    """The columns of a dataset; missing is null, codes as in ree.domain.property."""
    columns = {name: pa.array(dataset.columns[name], from_pandas=True) for name in COLUMNS}
    buffer = BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def parquet_dataset(body: bytes) -> Dataset:
    """The dataset that was made into *body*, column for column."""
    table = pq.read_table(BytesIO(body), columns=list(COLUMNS))
    return Dataset(
        {
            name: table[name].to_numpy().astype(np.int64 if name in _INTEGERS else np.float64)
            for name in COLUMNS
        }
    )


_INTEGERS = ("property_id", "day", "year")
