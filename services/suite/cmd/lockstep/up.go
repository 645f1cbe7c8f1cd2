package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/services/suite"
)

// up is the command that serves the suite until it is told to stop.
func up() *cobra.Command {
	s, failed := suite.New()
	if failed != nil {
		return &cobra.Command{Use: "up", RunE: func(*cobra.Command, []string) error { return failed }}
	}
	var cmd *cobra.Command
	cmd = host.CommandOf("up", "Serve every service and the gateway", &s.Config, func(ctx context.Context) error {
		if err := s.Start(ctx); err != nil {
			return err
		}
		announce(cmd.OutOrStdout(), s)
		return s.Run(ctx)
	}, s.Units...)
	cmd.Flags().StringVar(&s.Data, "data", s.Data, "folder of the embedded engines and of the admin token")
	return cmd
}

// announce says where the suite is and how to call it.
func announce(w io.Writer, s *suite.Suite) {
	where := "servers by address"
	if s.Embedded() {
		where = "embedded engines, data in " + s.Data
	}
	_, _ = fmt.Fprintf(w, `Lockstep is up at %s (%s)
  OpenAPI   %s/openapi.json
  token     %s
  try       curl -H "Authorization: Bearer %s" %s/v1/orders
  stop      Ctrl-C, or kill %d
`, s.URL(), where, s.URL(), s.AdminToken(), s.AdminToken(), s.URL(), os.Getpid())
}
