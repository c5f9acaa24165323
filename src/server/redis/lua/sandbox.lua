-- What a script finds, and cannot change: the libraries behind tables that refuse to be written to, and in front of Lua's own
-- functions those checks that they lack.
local native = ...
local raw = {
  pcall = pcall, xpcall = xpcall, next = next, pairs = pairs, rawset = rawset, rawget = rawget,
  setmetatable = setmetatable, getmetatable = getmetatable, resume = coroutine.resume,
  create = coroutine.create, yield = coroutine.yield, setfenv = setfenv,
  sub = string.sub, sort = table.sort, insert = table.insert, join = table.concat, unpack = unpack, error = error, type = type, tostring = tostring, tonumber = tonumber, select = select,
  collectgarbage = collectgarbage,
}
local real = {}
local readonly = "Attempt to modify a readonly table"

local function refuse() raw.error(readonly, 2) end

local function protect(content)
  local face, meta = {}, { __index = content, __newindex = refuse, __metatable = false }
  raw.setmetatable(face, meta)
  real[face] = content
  return face, meta
end

local function missing(_, name)
  raw.error("Script attempted to access nonexistent global variable '" .. raw.tostring(name) .. "'", 2)
end

-- Results as a table. C puts a flag in front of those of `pcall` and `resume`, for which its stack may have no room left.
local function pack(...) return { ... }, raw.select("#", ...) end

-- What `pcall` gives. An error is on its way through: the end of a script's allowance goes on.
local function settle(ok, results, count)
  if ok then return true, raw.unpack(results, 1, count) end
  return false, native.caught(results)
end

local function guarded(t)
  if t ~= nil and real[t] then raw.error(readonly, 0) end
  return t
end

-- C's integers have 32 bits here, and what it makes of a larger number is not the same everywhere.
local least, most = -2147483648, 2147483647

local function complain(at, name, problem)
  raw.error("bad argument #" .. at .. " to '" .. name .. "' (" .. problem .. ")", 3)
end

local function type_of(value) return value == nil and "no value" or raw.type(value) end

local function need_table(t, name)
  if raw.type(t) ~= "table" then complain(1, name, "table expected, got " .. type_of(t)) end
end

-- An argument that C takes as an integer; `nil` stays.
local function whole(value, at, name)
  if value == nil then return nil end
  local number = raw.tonumber(value)
  if not number or raw.type(value) == "table" then complain(at, name, "number expected, got " .. raw.type(value)) end
  if not (number >= least and number <= most) then complain(at, name, "number out of range") end
  return number
end

local base = {}
for _, name in ipairs {
  "_VERSION", "assert", "error", "gcinfo", "ipairs", "rawequal", "select", "tonumber", "tostring", "type",
} do base[name] = _G[name] end

local function packed(f, ...) return pack(f(...)) end
function base.pcall(f, ...) return settle(raw.pcall(packed, f, ...)) end
function base.xpcall(f, handler)
  return settle(raw.xpcall(function() return pack(f()) end, function(e) return handler(native.caught(e)) end))
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
function base.unpack(t, i, j)
  need_table(t, "unpack")
  i, j = whole(i, 2, "unpack") or 1, whole(j, 3, "unpack") or #t
  -- The count would wrap around in C.
  if j - i >= native.unpack_max then raw.error("too many results to unpack", 2) end
  return raw.unpack(t, i, j)
end

-- What compiles for an environment: what is compiled sees that, and no other.
local function add_loaders(to, env)
  local function compile(text, name)
    local f, e = native.compile(text, name)
    if f then raw.setfenv(f, env) end
    return f, e
  end
  function to.loadstring(text, name) return compile(text, name or text) end
  function to.load(pieces, name)
    local parts = {}
    repeat
      local piece = pieces()
      if piece ~= nil then parts[#parts + 1] = piece end
    until piece == nil or piece == ""
    return compile(raw.join(parts), name or "=(load)")
  end
end

local function copy(from, without)
  local to = {}
  for k, v in raw.pairs(from) do if not without or not without[k] then to[k] = v end end
  return to
end

local strings = copy(string, { dump = true })
for name, f in raw.pairs(native.string) do strings[name] = f end
local tables = copy(table)
function tables.insert(t, ...)
  guarded(t)
  need_table(t, "insert")
  local count = raw.select("#", ...)
  if count == 1 then return raw.insert(t, ...) end
  if count ~= 2 then raw.error("wrong number of arguments to 'insert'", 2) end
  local at, value = ...
  at = whole(at, 2, "insert")
  if at == nil then complain(2, "insert", "number expected, got nil") end
  -- Everything from there to the end is moved.
  if at < 0 then complain(2, "insert", "position out of bounds") end
  return raw.insert(t, at, value)
end
function tables.sort(t, less)
  guarded(t)
  -- Comparisons are the script's own steps, whatever compares.
  if less == nil then return raw.sort(t, function(a, b) return a < b end) end
  return raw.sort(t, function(a, b) return less(a, b) end)
end

local maths = copy(math)
maths.random, maths.randomseed = native.random, native.randomseed
local coroutines = copy(coroutine)
function coroutines.create(f)
  if raw.type(f) ~= "function" then complain(1, "create", "Lua function expected") end
  return raw.create(function(...) return pack(f(...)) end)
end
function coroutines.yield(...) return raw.yield(pack(...)) end
function coroutines.resume(co, ...) return settle(raw.resume(co, ...)) end
function coroutines.wrap(f)
  if raw.type(f) ~= "function" then complain(1, "wrap", "Lua function expected") end
  local co = coroutines.create(f)
  return function(...)
    local ok, results, count = raw.resume(co, ...)
    if ok then return raw.unpack(results, 1, count) end
    raw.error(results, 2)
  end
end

base.string, base.table, base.math = (protect(strings)), (protect(tables)), (protect(maths))
base.coroutine, base.os = (protect(coroutines)), (protect { clock = os.clock })
for name, content in raw.pairs(native.libraries) do base[name] = (protect(content)) end

local meta = raw.getmetatable("")
meta.__index = base.string
meta.__metatable = (protect { __index = base.string })

-- What the script that runs asks of the door goes to `serve`: a number that says what, and words. It gives a value; or a form, of
-- what is cheaper to make here than for C: 1 a status, 2 the status `OK`, 3 a list of what follows, 4 the strings that are one behind
-- the other in the value and as long as what follows says, 5 the first of them and a list of the others.
local serve

local function cut(text, at, lengths)
  for i = 1, #lengths do
    local after = at + lengths[i]
    lengths[i], at = raw.sub(text, at, after - 1), after
  end
  return lengths
end

local function split(text, length, ...) return { raw.sub(text, 1, length), cut(text, length + 1, { ... }) } end

local function answer(value, form, ...)
  if form == nil then return value end
  if form == 2 then return { ok = "OK" } end
  if form == 1 then return { ok = value } end
  if form == 4 then return cut(value, 1, { ... }) end
  if form == 5 then return split(value, ...) end
  return { ... }
end

-- In locals, and in one function: most of a call is on the way to the door.
local select, words_max, nobody = raw.select, native.words_max, native.nobody
for name, service in raw.pairs(native.asks) do
  native.redis[name] = function(...)
    local count = select("#", ...)
    -- C's stack has room for a few thousand.
    if count > words_max then return answer((serve or nobody)(service + native.services, count, { ... })) end
    return answer((serve or nobody)(service, ...))
  end
end

-- Scripts, with KEYS and ARGV; and libraries of functions, without.
local globals, library = copy(base), copy(base)
local env = protect(globals)
local library_env, library_meta = protect(library)
globals._G, library._G = env, library_env
add_loaders(globals, env)
add_loaders(library, library_env)
globals.redis = (protect(native.redis))
library.redis = (protect(copy(native.redis, { breakpoint = true, debug = true, replicate_commands = true })))
raw.setmetatable(globals, { __index = missing })
raw.setmetatable(library, { __index = missing })

-- While a library is loaded it finds nothing but what registers functions.
local loading = { redis = (protect(native.loading)) }
raw.setmetatable(native.loading, { __index = missing })
raw.setmetatable(loading, { __index = missing })

local function run(f, a, b, service)
  serve = service
  local ok, result = raw.xpcall(function() return f(a, b) end, native.trace)
  serve = nil
  return ok, result
end
local function load(f)
  library_meta.__index = loading
  real[library_env] = loading
  local ok, e = raw.xpcall(f, native.trace)
  library_meta.__index = library
  real[library_env] = library
  return ok, e
end
return env, globals, library_env, run, load
