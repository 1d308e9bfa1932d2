"""What there is to ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def methods() -> pd.DataFrame:
    """What methods there are, as ``inpaint-bench list`` shows them.

    Returns:
        One row a method, by name: ``title``, ``family``, ``summary``; ``stochastic``; ``default``,
        whether the default job runs it; ``choices`` and ``variants``, what may follow ``:`` and
        ``@``; ``weights``, those of its weights that are here, as names to ask for; ``fetch``, the
        command that gets its first weights if they are not here, ``train`` the one that makes them
        if nobody published any.

    Examples:
        >>> import inpaint_bench as ib
        >>> table = ib.methods()
        >>> table.loc["telea", ["family", "default"]].to_dict()
        {'family': 'diffusion-based', 'default': True}
        >>> "lama:small" in table.loc["lama", "weights"]
        True
    """
    import pandas as pd

    from methods import facts, inventory

    rows = {name: facts(name, card) for name, card in inventory()[0].items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def metrics() -> pd.DataFrame:
    """What metrics there are.

    Returns:
        One row a metric, by name: ``label``, ``unit``, ``direction``; ``scope``, ``case`` for
        those of single fills or ``set``; ``region``; ``implementation``, ``version``,
        ``weights``, ``note``; ``status`` and ``reason``, whether it can be measured here now;
        ``default``, whether a run measures it unasked.

    Examples:
        >>> import inpaint_bench as ib
        >>> ib.metrics().loc["psnr_db", ["unit", "direction", "scope"]].to_list()
        ['dB', 'higher', 'case']
    """
    from bench.metrics import DEFAULT, METRICS
    from bench.metrics.meter import resolve_metrics
    from bench.run.compaction import metrics_table

    table = metrics_table(resolve_metrics(METRICS, offline=True)).set_index("metric")
    return table.assign(default=table.index.isin(DEFAULT))
