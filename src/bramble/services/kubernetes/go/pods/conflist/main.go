// Tells a node's containers how they come to the network that flannel made: waits for what flannel found out and writes
// it down as containerd reads it. Upstream's image does the same by a plugin of flannel's own.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	found  = "/run/flannel/subnet.env"
	wanted = "/etc/cni/net.d/10-flannel.conflist"
	look   = 300 * time.Millisecond
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	before := ""
	for {
		if text, err := conflist(); err == nil && text != before {
			if err := write(text); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			fmt.Println("wrote", wanted)
			before = text
		}
		select {
		case <-signals:
			return
		case <-time.After(look):
		}
	}
}

func conflist() (string, error) {
	file, err := os.Open(found)
	if err != nil {
		return "", err
	}
	defer file.Close()
	values := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "=")
		values[name] = value
	}
	mtu, err := strconv.Atoi(values["FLANNEL_MTU"])
	if err != nil || values["FLANNEL_SUBNET"] == "" || values["FLANNEL_NETWORK"] == "" {
		return "", fmt.Errorf("%s is not whole", found)
	}
	// The network as it is written in an address of this node: 10.244.1.1/24.
	type object = map[string]any
	text, err := json.MarshalIndent(object{
		"name":       "cbr0",
		"cniVersion": "0.3.1",
		"plugins": []object{
			{
				"type":        "bridge",
				"bridge":      "cni0",
				"mtu":         mtu,
				"isGateway":   true,
				"hairpinMode": true,
				"ipam": object{
					"type":    "host-local",
					"dataDir": "/run/cni-ipam",
					"ranges":  [][]object{{{"subnet": network(values["FLANNEL_SUBNET"])}}},
					"routes":  []object{{"dst": "0.0.0.0/0"}, {"dst": values["FLANNEL_NETWORK"]}},
				},
			},
			{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	}, "", "  ")
	return string(text) + "\n", err
}

// network turns the address of the gateway, as flannel writes it, into that of the network: 10.244.1.1/24.
func network(gateway string) string {
	address, length, _ := strings.Cut(gateway, "/")
	parts := strings.Split(address, ".")
	parts[len(parts)-1] = "0"
	return strings.Join(parts, ".") + "/" + length
}

// write puts the whole file there at once: containerd looks at any moment.
func write(text string) error {
	if err := os.WriteFile(wanted+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(wanted+".new", wanted)
}
