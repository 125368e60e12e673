module bramble.invalid/pods

go 1.21
