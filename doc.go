// Package penstock is the root of an event-loop HTTP/1.1 server framework; it
// holds no code. Import
//
//   - [github.com/penstock-go/penstock/server] to serve requests,
//   - [github.com/penstock-go/penstock/pipeline] to write handlers as stages,
//   - [github.com/penstock-go/penstock/loop] for the event loops by themselves,
//   - [github.com/penstock-go/penstock/parser] for the parser by itself.
package penstock
