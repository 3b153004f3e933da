"""runtime/metrics: every name, kind, cumulative flag (value for scalars after one GC)."""

import fmt

from goruntime import metrics, run


def number(value):
    """`%g` of a bound."""
    return {float("inf"): "+Inf", float("-inf"): "-Inf"}.get(value, f"{value:g}")


def main():
    # Go forces a collection here: there is no collector yet, and no figure below that one would have changed.
    all_ = metrics.all()
    s = metrics.read(d.name for d in all_)
    fmt.println("count", len(all_))
    for d in all_:
        v = s[d.name]
        match d.kind:
            case "uint64":
                v = str(v)
            case "float64":
                v = f"{v:.6f}"
            case "float64histogram":
                h = v.buckets
                v = f"buckets={len(h)} first={number(h[0])} second={number(h[1])} last={number(h[-1])}"
        fmt.println(f"{d.name},{d.kind},{'true' if d.cumulative else 'false'},{v}")


if __name__ == "__main__":
    run(main)
