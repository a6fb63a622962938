-- Announces for wrk: 20,000 requests over 1,000 torrents, made before the clock runs.
math.randomseed(7)

local function hash()
  local text = ""
  for _ = 1, 20 do text = text .. string.format("%%%02x", math.random(0, 255)) end
  return text
end

local requests, at = {}, 0

function init()
  local hashes = {}
  for number = 1, 1000 do hashes[number] = hash() end
  for number = 1, 20000 do
    requests[number] = wrk.format("GET", string.format(
      "/announce?info_hash=%s&peer_id=-XX0000-%012d&port=%d&uploaded=0&downloaded=0&left=%d&compact=1&numwant=30&event=started",
      hashes[math.random(1, 1000)], math.random(1, 100000), math.random(1, 65000), math.random(0, 1)))
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
