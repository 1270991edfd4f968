-- The load that wrk makes: GET / as often as it is answered, and with an argument above 1
-- that many requests in each write.
--
-- The global "request" stays undefined for single requests: wrk then sends one fixed
-- request and does not call into Lua for each of them.

function init(args)
   local depth = tonumber(args[1] or "1")
   if depth > 1 then
      local requests = string.rep(wrk.format(), depth)
      request = function() return requests end
   end
end

-- One line of JSON, which the harness reads. Durations are in microseconds.
function done(summary, latency, requests)
   io.write(string.format(
      '{"requests":%d,"microseconds":%d,"connect_errors":%d,"read_errors":%d,"write_errors":%d,' ..
      '"status_errors":%d,"timeouts":%d,"latency_p50":%d,"latency_p99":%d}\n',
      summary.requests, summary.duration,
      summary.errors.connect, summary.errors.read, summary.errors.write,
      summary.errors.status, summary.errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
