-- What a script finds, and cannot change: the libraries behind tables that refuse to be written to.
local native = ...
local raw = {
  pcall = pcall, xpcall = xpcall, next = next, pairs = pairs, rawset = rawset, rawget = rawget,
  setmetatable = setmetatable, getmetatable = getmetatable, resume = coroutine.resume,
  loadstring = loadstring, setfenv = setfenv, rep = string.rep, sort = table.sort, insert = table.insert,
  error = error, type = type, tostring = tostring, concat = table.concat, byte = string.byte,
  collectgarbage = collectgarbage,
}
local real = {}
local readonly = "Attempt to modify a readonly table"

local function refuse() raw.error(readonly, 2) end

local function protect(content)
  local face = {}
  raw.setmetatable(face, { __index = content, __newindex = refuse, __metatable = false })
  real[face] = content
  return face
end

local function missing(_, name)
  raw.error("Script attempted to access nonexistent global variable '" .. raw.tostring(name) .. "'", 2)
end

-- An error on its way through `pcall`: the end of a script's allowance goes on.
local function settle(ok, ...)
  if ok then return true, ... end
  return false, native.caught(...)
end

local function guarded(t)
  if t ~= nil and real[t] then raw.error(readonly, 0) end
  return t
end

local base = {}
for _, name in ipairs {
  "_VERSION", "assert", "error", "gcinfo", "ipairs", "rawequal", "select", "tonumber", "tostring", "type", "unpack",
} do base[name] = _G[name] end

function base.pcall(...) return settle(raw.pcall(...)) end
function base.xpcall(f, handler)
  return settle(raw.xpcall(f, function(e) return handler(native.caught(e)) end))
end
function base.next(t, k) return raw.next(real[t] or t, k) end
function base.pairs(t)
  local content = t ~= nil and real[t]
  if not content then return raw.pairs(t) end
  return function(_, k) return raw.next(content, k) end, t, nil
end
function base.rawset(t, k, v) return raw.rawset(guarded(t), k, v) end
function base.rawget(t, k) return raw.rawget(t ~= nil and real[t] or t, k) end
function base.setmetatable(t, m) return raw.setmetatable(guarded(t), m) end
base.getmetatable = raw.getmetatable
function base.collectgarbage(what) return what == "count" and raw.collectgarbage("count") or 0 end

local env
local function compile(text, name)
  if raw.type(text) == "string" and raw.byte(text, 1) == 27 then return nil, "bytecode is not allowed" end
  local f, e = raw.loadstring(text, name)
  if f then raw.setfenv(f, env) end
  return f, e
end
function base.loadstring(text, name) return compile(text, name or text) end
function base.load(pieces, name)
  local parts = {}
  repeat
    local piece = pieces()
    if piece ~= nil then parts[#parts + 1] = piece end
  until piece == nil or piece == ""
  return compile(raw.concat(parts), name or "=(load)")
end

local function copy(from, without)
  local to = {}
  for k, v in raw.pairs(from) do if not without or not without[k] then to[k] = v end end
  return to
end

local strings = copy(string, { dump = true })
for name, f in raw.pairs(native.string) do strings[name] = f end
function strings.rep(s, n)
  if raw.type(s) == "string" and raw.type(n) == "number" then
    if s == "" then return "" end
    if #s * n > native.bytes_max then raw.error("resulting string is too long", 2) end
  end
  return raw.rep(s, n)
end
local tables = copy(table)
function tables.insert(t, ...) return raw.insert(guarded(t), ...) end
function tables.sort(t, less)
  -- Comparisons are the script's own steps, whatever compares.
  if less == nil then return raw.sort(t, function(a, b) return a < b end) end
  return raw.sort(t, function(a, b) return less(a, b) end)
end
local maths = copy(math)
maths.random, maths.randomseed = native.random, native.randomseed
local coroutines = copy(coroutine)
function coroutines.resume(...) return settle(raw.resume(...)) end

base.string, base.table, base.math = protect(strings), protect(tables), protect(maths)
base.coroutine, base.os = protect(coroutines), protect { clock = os.clock }
for name, content in raw.pairs(native.libraries) do base[name] = protect(content) end

local meta = raw.getmetatable("")
meta.__index = base.string
meta.__metatable = protect { __index = base.string }

-- Scripts, with KEYS and ARGV; and libraries of functions, without.
local globals, library = copy(base), copy(base)
env = protect(globals)
local library_env = protect(library)
globals._G, library._G = env, library_env
globals.redis = protect(native.redis)
local within = copy(native.redis, { breakpoint = true, debug = true, replicate_commands = true })
library.redis = protect(within)
raw.setmetatable(globals, { __index = missing })
raw.setmetatable(library, { __index = missing })

local loading = protect(native.loading)
raw.setmetatable(native.loading, { __index = missing })
local loaded = library.redis

local function run(f, a, b)
  return raw.xpcall(function() return f(a, b) end, native.trace)
end
local function load(f)
  library.redis = loading
  local ok, e = raw.xpcall(f, native.trace)
  library.redis = loaded
  return ok, e
end
return env, globals, library_env, run, load
