-- The load that wrk makes: the request as often as it is answered. Arguments: how many
-- requests each write has, and how many bytes to post (0: GET).
--
-- The global "request" stays undefined for single requests: wrk then sends one fixed
-- request and does not call into Lua for each of them.

function init(args)
   local depth, size = tonumber(args[1] or "1"), tonumber(args[2] or "0")
   if size > 0 then
      wrk.method = "POST"
      wrk.headers["Content-Type"] = "application/octet-stream"
      wrk.body = string.rep("0123456789abcdef", size / 16)
   end
   if depth > 1 then
      local requests = string.rep(wrk.format(), depth)
      request = function() return requests end
   end
end

-- One line of JSON, which the harness reads. Durations are in microseconds.
function done(summary, latency, requests)
   io.write(string.format(
      '{"requests":%d,"bytes":%d,"microseconds":%d,"connect_errors":%d,"read_errors":%d,"write_errors":%d,' ..
      '"status_errors":%d,"timeouts":%d,"latency_p50":%d,"latency_p90":%d,"latency_p99":%d,"latency_p999":%d,"latency_max":%d}\n',
      summary.requests, summary.bytes, summary.duration,
      summary.errors.connect, summary.errors.read, summary.errors.write,
      summary.errors.status, summary.errors.timeout,
      latency:percentile(50), latency:percentile(90), latency:percentile(99), latency:percentile(99.9), latency.max))
end
