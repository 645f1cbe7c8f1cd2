package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-logistics/lockstep/services/suite"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/brunel"
)

// dataset is what the demo walks: the sample company's scenarios, or a published data set.
type dataset struct {
	name, folder string
	limit        int
	within       time.Duration // for the scenarios
	wrong        error         // of the environment
}

func (d *dataset) flags(cmd *cobra.Command) {
	if text := os.Getenv("DEMO_LIMIT"); text != "" {
		if d.limit, d.wrong = strconv.Atoi(text); d.wrong != nil {
			d.wrong = fmt.Errorf("DEMO_LIMIT: %q is no number of orders", text)
		}
	}
	cmd.Flags().StringVar(&d.name, "dataset", os.Getenv("DEMO_DATA"), "data set to walk instead of the scenarios: brunel (DEMO_DATA)")
	cmd.Flags().StringVar(&d.folder, "data-dir", os.Getenv("DEMO_DATA_DIR"), "its folder; empty: beside the repository (DEMO_DATA_DIR)")
	cmd.Flags().DurationVar(&d.within, "within", tellWithin, "how long the scenarios may take")
	cmd.Flags().IntVar(&d.limit, "limit", d.limit, "orders to walk of it, evenly spread; 0: all (DEMO_LIMIT)")
}

// teller returns what to do with the suite. A data set is read before the suite is started.
func (d *dataset) teller() (func(context.Context, *suite.Suite, io.Writer) error, error) {
	switch d.name {
	case "":
		return func(ctx context.Context, s *suite.Suite, out io.Writer) error { return tell(ctx, s, d.within, out) }, nil
	case "brunel":
		if d.wrong != nil {
			return nil, d.wrong
		}
	default:
		return nil, fmt.Errorf("no data set %q: brunel is the one there is", d.name)
	}
	rows, err := brunel.Read(brunel.Folder(d.folder))
	if err != nil {
		return nil, err
	}
	plan, err := brunel.Map(rows, d.limit)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, s *suite.Suite, out io.Writer) error {
		return brunel.Run(ctx, s.URL(), s.AdminToken(), plan, out)
	}, nil
}
