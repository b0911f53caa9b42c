-- Posts the bodies of a file in rotation, one a line; prints one line of figures at the end.
local requests = {}
local place = 0

function init(args)
  for body in io.lines(args[1]) do
    requests[#requests + 1] =
      wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, body)
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    "FIGURES requests=%d microseconds=%d p50=%d p99=%d status=%d broken=%d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    failed.status, failed.connect + failed.read + failed.write + failed.timeout))
end
