// Makes the folder of a volume, or takes it away: what the provisioner of storage has done on a node. It calls
//
//	volume -p /var/lib/bramble-volumes/NAME -s BYTES -m MODE -a create|delete
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// All volumes lie in here; the same stands in storage.py.
const root = "/var/lib/bramble-volumes"

func main() {
	path := flag.String("p", "", "folder")
	action := flag.String("a", "", "create or delete")
	flag.String("s", "", "size, which a folder does not have")
	flag.String("m", "", "mode of the volume: Filesystem")
	flag.Parse()
	if err := do(*action, *path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func do(action, path string) error {
	// A pattern of a StorageClass could lead out of here, and this runs as root.
	if filepath.Clean(path) != path || filepath.Dir(path) != root {
		return fmt.Errorf("%s is not a folder in %s", path, root)
	}
	switch action {
	case "create":
		if err := os.Mkdir(path, 0o777); err != nil && !os.IsExist(err) {
			return err
		}
		// Whoever a pod runs as; past the umask.
		return os.Chmod(path, 0o777)
	case "delete":
		return os.RemoveAll(path)
	}
	return fmt.Errorf("create or delete, not %q", action)
}
