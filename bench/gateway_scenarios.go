package main

import "time"

// A body through a gateway is no longer than that.
const gatewayUploadBytes = 64 << 20

var loadForwarded = wrkLoadOf(plaintextConnections, askForwarded)

// In these the measured server is a gateway. Behind each stands the same upstream, which has a
// process of its own and is not measured.
var gatewayScenarios = []scenario{
	{
		name: "proxy-hello", title: "hello through a gateway, 64 connections", role: roleGateway, load: loadForwarded,
		measures: measuresOfLoad(measureCPU, measureRate),
		targets:  []target{{key: keyCPU, against: nginxName, bound: 1.0}},
		takes:    oneLoad, measure: loadMeasurement(roleGateway, loadForwarded),
	},
	{
		name: "proxy-download", title: "64 MiB downloaded through a gateway, 4 connections", role: roleGateway, load: loadDownload,
		measures: measuresOfLoad(measureGibibyteCPU, measureBytesRate,
			figure(keyGibibyteCPUBuffered, "CPU of the server per GiB, buffered as by default", unitMillisecond)),
		targets: []target{{key: keyGibibyteCPU, against: nethttpName, bound: 0.6}},
		takes:   oneLoad, measure: downloadFrom(roleGateway),
	},
	{
		name: "proxy-upload", title: "64 MiB uploaded through a gateway, 1 connection", role: roleGateway,
		measures: measuresOfUpload(),
		takes:    oneLoad, measure: uploadTo(roleGateway, gatewayUploadBytes),
	},
	{
		name: "proxy-slow-readers", title: "50 clients at 1 MB/s on 300 MB each, through a gateway", role: roleGateway, once: true,
		measures: []measure{
			measurePeak,
			less(keyHeld, "most bytes that the server has taken in ahead of those it has given out", unitMebibyte),
			less(keyGibibyteCPU, "CPU of the server per GiB", unitMillisecond),
			figure(keyAhead, "most bytes that the upstream has written ahead of those read by the clients", unitMebibyte),
			figure(keyKernelQueues, "most bytes in the kernel's buffers of the server's connections", unitMebibyte),
			figure(keyBytesRate, "bytes per second to all clients", unitMebibytePerSecond),
		},
		targets: []target{{key: keyPeakMemory, bound: 48 << 20}, {key: keyHeld, bound: 16 << 20}},
		takes: func(s settings) time.Duration {
			return gatewayReadingTime(s) + 300*time.Millisecond
		},
		measure: measureGatewayReaders,
	},
	{
		name: "proxy-streams", title: "streams of events that wait, through a gateway", role: roleEventGateway, once: true,
		measures: []measure{
			less(keyStreamMemory, "memory of the server per stream", unitByte),
			figure(keyResidentAt(0), "memory with 0 streams", unitMebibyte),
			figure(keyResidentAt(1000), "memory with 1,000 streams", unitMebibyte),
			figure(keyResidentAt(5000), "memory with 5,000 streams", unitMebibyte),
			figure(keyResidentAt(mostStreams), "memory with 9,900 streams", unitMebibyte),
			figure(keyGoroutinesBefore, "goroutines before the streams", unitOne),
			figure(keyGoroutinesAdded, "goroutines that the streams added", unitOne),
		},
		targets: []target{{key: keyStreamMemory, bound: 1500}, {key: keyGoroutinesAdded, bound: 0}},
		takes: func(s settings) time.Duration {
			return time.Duration(len(streamSteps(s))-1)*idleStepRest + streamsRest(s) + 300*time.Millisecond
		},
		measure: measureGatewayStreams,
	},
	{
		name: "proxy-restart", title: "200 requests per second through a gateway while its upstream restarts", role: roleGateway, once: true,
		measures: []measure{
			less(keyFailed, "failed requests", unitOne),
			figure(keyAsked, "requests", unitOne),
			figure(keyLatencyMax, "longest latency of one that did not fail", unitMillisecond),
		},
		targets: []target{{key: keyFailed, bound: 0}},
		takes: func(s settings) time.Duration {
			shape := outageOf(s)
			return 2*shape.around + shape.outage + 300*time.Millisecond
		},
		measure: measureGatewayRestart,
	},
}
