"""A dataset as Parquet."""

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from ..domain.dataset import COLUMNS, Dataset


def dataset_parquet(dataset: Dataset) -> bytes:
    """The columns of a dataset; missing is null, codes as in ree.domain.property."""
    columns = {name: pa.array(dataset.columns[name], from_pandas=True) for name in COLUMNS}
    buffer = BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()
