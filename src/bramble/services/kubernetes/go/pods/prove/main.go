// What the verification runs in pods: it serves its node's name, and looks at others from where it is.
//
//	prove serve                     answers HTTP on port 8080 with $NODE
//	prove wait                      does nothing, until it is told to end
//	prove get URL...                one line an URL: the answer, or "error: why"
//	prove lookup NAME...            one line a name: its addresses, or "error: why"
//	prove write FILE TEXT           writes a file
//	prove read FILE...              one line a file: what it holds, or "error: why"
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

const patience = 5 * time.Second

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "serve, wait, get, lookup, write or read?")
		os.Exit(2)
	}
	switch words := os.Args[2:]; os.Args[1] {
	case "serve":
		serve()
	case "get":
		each(words, get)
	case "lookup":
		each(words, lookup)
	case "wait":
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
		<-signals
	case "read":
		each(words, func(name string) (string, error) {
			text, err := os.ReadFile(name)
			return string(text), err
		})
	case "write":
		if err := os.WriteFile(words[0], []byte(words[1]), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		fmt.Fprintln(os.Stderr, "serve, wait, get, lookup, write or read?")
		os.Exit(2)
	}
}

func serve() {
	http.HandleFunc("/", func(out http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(out, os.Getenv("NODE"))
	})
	fmt.Println("serving on", os.Getenv("NODE"))
	if err := http.ListenAndServe(":8080", nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// each asks all at once, so that many that do not answer cost no more than one.
func each(words []string, ask func(string) (string, error)) {
	answers := make([]string, len(words))
	var asking sync.WaitGroup
	for number, word := range words {
		asking.Add(1)
		go func(number int, word string) {
			defer asking.Done()
			answer, err := ask(word)
			if err != nil {
				answer = "error: " + err.Error()
			}
			answers[number] = word + " " + strings.TrimSpace(answer)
		}(number, word)
	}
	asking.Wait()
	fmt.Println(strings.Join(answers, "\n"))
}

func get(url string) (string, error) {
	client := http.Client{Timeout: patience}
	response, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1000))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %s", response.Status)
	}
	return string(body), err
}

func lookup(name string) (string, error) {
	within, done := context.WithTimeout(context.Background(), patience)
	defer done()
	found, err := net.DefaultResolver.LookupHost(within, name)
	sort.Strings(found)
	return strings.Join(found, ","), err
}
