// Command control-tower runs the service that tells the story of any business key.
package main

import (
	"github.com/lockstep-logistics/lockstep/libs/host"
	controltower "github.com/lockstep-logistics/lockstep/services/control-tower"
)

func main() {
	host.Main(controltower.Name, controltower.Defaults(), controltower.New)
}
