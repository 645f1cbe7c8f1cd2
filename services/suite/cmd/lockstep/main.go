// Command lockstep runs the whole suite in one process: up serves it, demo tells the story
// of real orders on it.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/lockstep-logistics/lockstep/libs/host"
)

func main() {
	ctx, stop := host.Signals(context.Background())
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use: "lockstep", Short: "The Lockstep suite in one process",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(up(), demo())
	return root
}
