// A web app of one page: it says which of its copies answered, and on which host that runs.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	name, _ := os.Hostname()
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "Hello from %s on %s\n", name, os.Getenv("NODE"))
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
