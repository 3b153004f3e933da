package main

import (
	"fmt"
	"math/rand/v2"
)

//o runs 3

// The numbers of Go's generators, of every kind.
func main() {
	seed := [32]byte{}
	copy(seed[:], "one seed of thirty-two bytes.")
	sources := []struct {
		name string
		src  rand.Source
	}{
		{"PCG(1, 2)", rand.NewPCG(1, 2)},
		{"PCG(1<<63, 1<<64-1)", rand.NewPCG(1<<63, 1<<64-1)},
		{"ChaCha8", rand.NewChaCha8(seed)},
	}
	for _, s := range sources {
		r := rand.New(s.src)
		fmt.Println(s.name)
		fmt.Println(r.Uint64(), r.Uint32(), r.Uint(), r.Int64(), r.Int32(), r.Int())
		for _, n := range []int{1, 2, 3, 6, 10, 1 << 20, 1000003, 1<<62 + 1, 1<<63 - 1} {
			fmt.Println("IntN", n, r.IntN(n), r.IntN(n), r.IntN(n))
		}
		fmt.Println(r.Int64N(5), r.Int32N(5), r.Uint64N(1<<64-1), r.Uint32N(1<<32-1), r.UintN(7), r.N(9))
		fmt.Println(r.Perm(12))
		words := []string{"a", "b", "c", "d", "e", "f"}
		r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		fmt.Println(words)
		for i := 0; i < 5; i++ {
			fmt.Printf("%.17g %.9g %.17g %.17g\n", r.Float64(), r.Float32(), r.NormFloat64(), r.ExpFloat64())
		}
		// Far into the strips and tails of the ziggurat, and past ChaCha8's new keys.
		var norm, exp float64
		for i := 0; i < 20000; i++ {
			norm += r.NormFloat64()
			exp += r.ExpFloat64()
		}
		fmt.Printf("%.9f %.9f\n", norm, exp)
		z := rand.NewZipf(r, 1.5, 2, 1000)
		fmt.Println(z.Uint64(), z.Uint64(), z.Uint64(), z.Uint64(), z.Uint64(), z.Uint64(), r.Uint64())
	}
}
