// Command cluster runs the suite as a cluster on loopback and strikes at its parts by a seed;
// it ends with 1 when a guarantee was broken. See internal/campaign.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/campaign"
)

func main() {
	ctx, stop := host.Signals(context.Background())
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	minutes := flag.Float64("minutes", 5, "for which faults strike; CLUSTER_MINUTES where it is set")
	seed := flag.Uint64("seed", rand.Uint64N(1_000_000), "picks faults and victims")
	clients := flag.Int("clients", 12, "that walk orders at a time")
	only := flag.String("only", "", "kinds of fault, separated by commas, of: "+strings.Join(campaign.Kinds(), ", ")+", or \"retry storm\" alone, whatever -minutes and -clients are; all when empty")
	each := flag.Int("each", 0, "with -only \"stop service in order\": how often each service and the gateway is stopped, whatever the minutes are")
	keep := flag.Bool("keep", false, "keep all files")
	flag.Parse()
	if set := os.Getenv("CLUSTER_MINUTES"); set != "" {
		if *minutes, err = strconv.ParseFloat(set, 64); err != nil {
			return fmt.Errorf("CLUSTER_MINUTES: %w", err)
		}
	}
	o := campaign.Options{Time: time.Duration(*minutes * float64(time.Minute)), Seed: *seed, Clients: *clients, Each: *each, Out: os.Stdout}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	if o.Root, err = campaign.Root(); err != nil {
		return err
	}
	dir, done, err := campaign.Work(*keep)
	if err != nil {
		return err
	}
	o.Dir = dir
	if *keep {
		fmt.Println("files are kept in", dir)
	}
	report, err := campaign.Run(ctx, o)
	if report != nil {
		err = errors.Join(err, report.Print(os.Stdout))
		if err == nil && report.Broken() {
			err = errors.Join(err, fmt.Errorf("a guarantee was broken; -seed %d strikes the same again", *seed))
		}
	}
	return errors.Join(err, done())
}
