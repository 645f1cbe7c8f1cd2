package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/services/suite"
)

// about is the long help of up; the names of the services follow it.
const about = `Serve the suite until told to stop.

Without names: every service and the gateway in this process, on engines inside the process
with their data under --data, or on servers by address. With names: those services only, and
the gateway if it is named, as one part of a suite whose other parts run elsewhere. A part
needs what all parts share, by address: MongoDB (store.uri), NATS (nats.url), Redis
(redis.url), the address of every service (services.<name>), where those of this part
listen, and the keys with which parts know each other (tokens.keys, tokens.trusted). What
is missing is refused by name.

  lockstep up
  lockstep up master-data order-release inventory-movement --config part.yaml

Names: `

// up is the command that serves the suite until it is told to stop.
func up() *cobra.Command {
	s, failed := suite.New()
	if failed != nil {
		return &cobra.Command{Use: "up", RunE: func(*cobra.Command, []string) error { return failed }}
	}
	var cmd *cobra.Command
	cmd = host.CommandOf("up [NAME...]", "Serve every service and the gateway, or those named", &s.Config, func(ctx context.Context) error {
		if err := s.Start(ctx); err != nil {
			if ctx.Err() != nil && errors.Is(err, context.Canceled) {
				return nil // told to stop while it waited for other parts
			}
			return err
		}
		announce(cmd.OutOrStdout(), s)
		return s.Run(ctx)
	}, s.Units...)
	cmd.Long = about + strings.Join(s.Names(), ", ") + "."
	cmd.Args, cmd.ValidArgs = cobra.ArbitraryArgs, s.Names()
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		if err := s.Only(names...); err != nil {
			return err
		}
		err := run(cmd, names)
		if check, _ := cmd.Flags().GetBool("check-config"); check && err == nil {
			return s.Check()
		}
		return err
	}
	cmd.Flags().StringVar(&s.Data, "data", s.Data, "folder of the embedded engines and of the admin token")
	return cmd
}

// announce says what is served where and how to call it.
func announce(w io.Writer, s *suite.Suite) {
	if !s.Whole() {
		_, _ = fmt.Fprintf(w, "Lockstep serves a part of the suite:\n  %s\n", strings.Join(s.Served(), "\n  "))
	}
	if s.URL() != "" {
		where := "servers by address"
		if s.Embedded() {
			where = "embedded engines, data in " + s.Data
		}
		_, _ = fmt.Fprintf(w, `Lockstep is up at %s (%s)
  OpenAPI   %s/openapi.json
  token     %s
  try       curl -H "Authorization: Bearer %s" %s/v1/orders
`, s.URL(), where, s.URL(), s.AdminToken(), s.AdminToken(), s.URL())
	}
	_, _ = fmt.Fprintf(w, "  stop      Ctrl-C, or kill %d\n", os.Getpid())
}
