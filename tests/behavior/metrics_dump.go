// runtime/metrics: every name, kind, cumulative flag (value for scalars after one GC).
//o env GOMAXPROCS=2
//o runs 6
package main

import (
	"fmt"
	"runtime"
	"runtime/metrics"
)

func main() {
	runtime.GC()
	all := metrics.All()
	s := make([]metrics.Sample, len(all))
	for i := range all {
		s[i].Name = all[i].Name
	}
	metrics.Read(s)
	fmt.Println("count", len(all))
	for i, d := range all {
		k := map[metrics.ValueKind]string{metrics.KindUint64: "uint64", metrics.KindFloat64: "float64", metrics.KindFloat64Histogram: "float64histogram"}[d.Kind]
		v := ""
		switch d.Kind {
		case metrics.KindUint64:
			v = fmt.Sprint(s[i].Value.Uint64())
		case metrics.KindFloat64:
			v = fmt.Sprintf("%.6f", s[i].Value.Float64())
		case metrics.KindFloat64Histogram:
			h := s[i].Value.Float64Histogram()
			v = fmt.Sprintf("buckets=%d first=%g second=%g last=%g", len(h.Buckets), h.Buckets[0], h.Buckets[1], h.Buckets[len(h.Buckets)-1])
		}
		fmt.Printf("%s,%s,%v,%s\n", d.Name, k, d.Cumulative, v)
	}
}
