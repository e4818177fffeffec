/**
 * C++ source of the wire (see `pythonWire`): values of the standard types as JSON, written and read by their type. Both
 * sides of a split test include it; `serve` answers calls, `call` makes them.
 */
export const cppWire = String.raw`
#pragma once
#include <bits/stdc++.h>
#include <unistd.h>
#include <fcntl.h>
namespace aha {
[[noreturn]] inline void fail(const char* why) { throw std::runtime_error(why); }

// Writing.
inline void write(std::string& o, bool v) { o += v ? "true" : "false"; }
inline void quote(std::string& o, const std::string& s) {
  o += '"';
  for (unsigned char c : s) {
    if (c == '"' || c == '\\') { o += '\\'; o += char(c); }
    else if (c < 0x20 || c >= 0x7f) { char b[8]; std::snprintf(b, sizeof b, "\\u%04x", c); o += b; }
    else o += char(c);
  }
  o += '"';
}
inline void write(std::string& o, const std::string& v) { quote(o, v); }
inline void write(std::string& o, char v) { quote(o, std::string(1, v)); }
template <class T> std::enable_if_t<std::is_integral_v<T>> write(std::string& o, T v) {
  if constexpr (sizeof(T) >= 8)
    if (v > T(1ll << 53) || (std::is_signed_v<T> && v < T(-(1ll << 53)))) {
      char b[32];
      bool negative = std::is_signed_v<T> && v < 0;
      std::snprintf(b, sizeof b, "%s0x%llx", negative ? "-" : "", negative ? 0ull - (unsigned long long)v : (unsigned long long)v);
      o += "{\"i\":\""; o += b; o += "\"}";
      return;
    }
  o += std::to_string(v);
}
template <class T> std::enable_if_t<std::is_floating_point_v<T>> write(std::string& o, T v) {
  char b[64];
  std::snprintf(b, sizeof b, "{\"f\":\"%.21Lg\"}", (long double)v);
  o += b;
}
template <class T> void write(std::string& o, const std::optional<T>& v);
inline void write(std::string& o, std::nullopt_t) { o += "null"; }
template <class A, class B> void write(std::string& o, const std::pair<A, B>& v);
template <class... T> void write(std::string& o, const std::tuple<T...>& v);
template <class T, class A> void write(std::string& o, const std::vector<T, A>& v);
template <class T> void write(std::string& o, const std::deque<T>& v);
template <class T> void write(std::string& o, const std::list<T>& v);
template <class T, std::size_t N> void write(std::string& o, const std::array<T, N>& v);
template <class T, class C> void write(std::string& o, const std::set<T, C>& v);
template <class T, class H> void write(std::string& o, const std::unordered_set<T, H>& v);
template <class T, class C> void write(std::string& o, const std::multiset<T, C>& v);
template <class K, class V, class C> void write(std::string& o, const std::map<K, V, C>& v);
template <class K, class V, class H> void write(std::string& o, const std::unordered_map<K, V, H>& v);
template <class It> void items(std::string& o, It from, It to) {
  o += '[';
  for (bool first = true; from != to; ++from, first = false) { if (!first) o += ','; write(o, *from); }
  o += ']';
}
template <class M> void entries(std::string& o, const M& m) {
  o += "{\"d\":[";
  bool first = true;
  for (auto& [k, v] : m) { if (!first) o += ','; first = false; o += '['; write(o, k); o += ','; write(o, v); o += ']'; }
  o += "]}";
}
template <class T> void write(std::string& o, const std::optional<T>& v) { if (v) write(o, *v); else o += "null"; }
template <class A, class B> void write(std::string& o, const std::pair<A, B>& v) { o += "{\"t\":["; write(o, v.first); o += ','; write(o, v.second); o += "]}"; }
template <class... T> void write(std::string& o, const std::tuple<T...>& v) {
  o += "{\"t\":[";
  std::apply([&](auto&... x) { bool first = true; ((first ? void() : void(o += ','), first = false, write(o, x)), ...); }, v);
  o += "]}";
}
template <class T, class A> void write(std::string& o, const std::vector<T, A>& v) { o += '['; for (std::size_t i = 0; i < v.size(); i++) { if (i) o += ','; write(o, T(v[i])); } o += ']'; }
template <class T> void write(std::string& o, const std::deque<T>& v) { items(o, v.begin(), v.end()); }
template <class T> void write(std::string& o, const std::list<T>& v) { items(o, v.begin(), v.end()); }
template <class T, std::size_t N> void write(std::string& o, const std::array<T, N>& v) { items(o, v.begin(), v.end()); }
template <class S> void members(std::string& o, const S& v) { o += "{\"s\":"; items(o, v.begin(), v.end()); o += '}'; }
template <class T, class C> void write(std::string& o, const std::set<T, C>& v) { members(o, v); }
template <class T, class H> void write(std::string& o, const std::unordered_set<T, H>& v) { members(o, v); }
template <class T, class C> void write(std::string& o, const std::multiset<T, C>& v) { members(o, v); }
template <class K, class V, class C> void write(std::string& o, const std::map<K, V, C>& v) { entries(o, v); }
template <class K, class V, class H> void write(std::string& o, const std::unordered_map<K, V, H>& v) { entries(o, v); }

// Reading, by the type that is wanted.
struct Reader {
  const char* at; const char* end;
  bool is(char c) const { return at < end && *at == c; }
  void want(char c) { if (!is(c)) fail("wire: unexpected text"); ++at; }
  bool take(const char* text) { std::size_t n = std::strlen(text); if (std::size_t(end - at) < n || std::memcmp(at, text, n) != 0) return false; at += n; return true; }
  std::string string() {
    want('"');
    std::string s;
    while (!is('"')) {
      if (at >= end) fail("wire: text ends inside a string");
      char c = *at++;
      if (c != '\\') { s += c; continue; }
      c = at < end ? *at++ : '"';
      switch (c) {
        case 'n': s += '\n'; break; case 't': s += '\t'; break; case 'r': s += '\r'; break; case 'b': s += '\b'; break; case 'f': s += '\f'; break;
        case 'u': { if (end - at < 4) fail("wire: short escape"); unsigned u = std::stoul(std::string(at, 4), nullptr, 16); at += 4; if (u < 0x100) s += char(u); else if (u < 0x800) { s += char(0xc0 | u >> 6); s += char(0x80 | (u & 63)); } else { s += char(0xe0 | u >> 12); s += char(0x80 | (u >> 6 & 63)); s += char(0x80 | (u & 63)); } break; }
        default: s += c;
      }
    }
    ++at;
    return s;
  }
  std::string number() { const char* from = at; while (at < end && (std::isalnum((unsigned char)*at) || *at == '-' || *at == '+' || *at == '.')) ++at; return std::string(from, at); }
};
template <class T> struct Read;
template <class T> T read(Reader& r) { return Read<T>::from(r); }
template <> struct Read<bool> { static bool from(Reader& r) { if (r.take("true")) return true; if (r.take("false")) return false; fail("wire: not a truth value"); } };
template <> struct Read<std::string> { static std::string from(Reader& r) { return r.string(); } };
template <> struct Read<char> { static char from(Reader& r) { std::string s = r.string(); return s.empty() ? '\0' : s[0]; } };
template <class T> T numberOf(Reader& r) {
  std::string text;
  bool tagged = r.take("{\"f\":") || r.take("{\"i\":");
  text = tagged ? r.string() : r.number();
  if (tagged) r.want('}');
  if constexpr (std::is_floating_point_v<T>) return T(std::strtold(text.c_str(), nullptr));
  else if (text.find_first_of(".enEN") != text.npos && text.find("0x") == text.npos) return T(std::strtold(text.c_str(), nullptr));
  else if constexpr (std::is_unsigned_v<T>) return T(std::strtoull(text.c_str(), nullptr, 0));
  else return T(std::strtoll(text.c_str(), nullptr, 0));
}
template <class T> requires std::is_arithmetic_v<T> struct Read<T> { static T from(Reader& r) { return numberOf<T>(r); } };
template <class F> void each(Reader& r, F one) {
  bool tagged = r.take("{\"t\":") || r.take("{\"s\":") || r.take("{\"d\":");
  r.want('[');
  while (!r.is(']')) { one(); if (!r.is(']')) r.want(','); }
  ++r.at;
  if (tagged) r.want('}');
}
template <class T> struct Read<std::optional<T>> { static std::optional<T> from(Reader& r) { if (r.take("null")) return std::nullopt; return read<T>(r); } };
template <class T, class A> struct Read<std::vector<T, A>> { static std::vector<T, A> from(Reader& r) { std::vector<T, A> v; each(r, [&] { v.push_back(read<T>(r)); }); return v; } };
template <class T> struct Read<std::deque<T>> { static std::deque<T> from(Reader& r) { std::deque<T> v; each(r, [&] { v.push_back(read<T>(r)); }); return v; } };
template <class T> struct Read<std::list<T>> { static std::list<T> from(Reader& r) { std::list<T> v; each(r, [&] { v.push_back(read<T>(r)); }); return v; } };
template <class T, std::size_t N> struct Read<std::array<T, N>> { static std::array<T, N> from(Reader& r) { std::array<T, N> v{}; std::size_t i = 0; each(r, [&] { T x = read<T>(r); if (i < N) v[i++] = x; }); return v; } };
template <class S, class T> S setOf(Reader& r) { S v; each(r, [&] { v.insert(read<T>(r)); }); return v; }
template <class T, class C> struct Read<std::set<T, C>> { static auto from(Reader& r) { return setOf<std::set<T, C>, T>(r); } };
template <class T, class C> struct Read<std::multiset<T, C>> { static auto from(Reader& r) { return setOf<std::multiset<T, C>, T>(r); } };
template <class T, class H> struct Read<std::unordered_set<T, H>> { static auto from(Reader& r) { return setOf<std::unordered_set<T, H>, T>(r); } };
template <class K> K keyOf(Reader& r) {
  // JSON's keys are text; a key of another type is read out of it.
  if constexpr (std::is_arithmetic_v<K> && !std::is_same_v<K, char>) if (r.is('"')) { std::string s = r.string(); Reader inner{s.data(), s.data() + s.size()}; return read<K>(inner); }
  return read<K>(r);
}
template <class M, class K, class V> M mapOf(Reader& r) { M m; each(r, [&] { r.want('['); K k = keyOf<K>(r); r.want(','); V v = read<V>(r); r.want(']'); m.insert_or_assign(std::move(k), std::move(v)); }); return m; }
template <class K, class V, class C> struct Read<std::map<K, V, C>> { static auto from(Reader& r) { return mapOf<std::map<K, V, C>, K, V>(r); } };
template <class K, class V, class H> struct Read<std::unordered_map<K, V, H>> { static auto from(Reader& r) { return mapOf<std::unordered_map<K, V, H>, K, V>(r); } };
template <class Tuple, std::size_t... I> void fillTuple(Reader& r, Tuple& t, std::index_sequence<I...>) {
  bool tagged = r.take("{\"t\":");
  r.want('[');
  ((I ? r.want(',') : void(), std::get<I>(t) = read<std::tuple_element_t<I, Tuple>>(r)), ...);
  r.want(']');
  if (tagged) r.want('}');
}
template <class A, class B> struct Read<std::pair<A, B>> { static std::pair<A, B> from(Reader& r) { std::pair<A, B> p; fillTuple(r, p, std::index_sequence<0, 1>{}); return p; } };
template <class... T> struct Read<std::tuple<T...>> { static std::tuple<T...> from(Reader& r) { std::tuple<T...> t; fillTuple(r, t, std::index_sequence_for<T...>{}); return t; } };

// The channel: lines over descriptors of its own, so that prints and reads of the code around it do not mix in.
struct Channel {
  int in, out;
  std::string rest;
  Channel() {
    in = dup(0); out = dup(1);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0); dup2(2, 1);
  }
  bool line(std::string& text) {
    for (;;) {
      std::size_t end = rest.find('\n');
      if (end != rest.npos) { text = rest.substr(0, end); rest.erase(0, end + 1); return true; }
      char b[65536];
      ssize_t n = ::read(in, b, sizeof b);
      if (n <= 0) return false;
      rest.append(b, n);
    }
  }
  void say(std::string text) {
    text += '\n';
    for (std::size_t done = 0; done < text.size();) { ssize_t n = ::write(out, text.data() + done, text.size() - done); if (n <= 0) _exit(9); done += n; }
  }
};
inline Channel& channel() { static Channel& c = *new Channel; return c; }

template <class T> using Bare = std::remove_cv_t<std::remove_reference_t<T>>;

/** Answers one call of a function: its value, and what it left in the arguments it took by reference. */
template <class R, class... A> bool answer(const std::string& name, const char* own, R (*function)(A...), Reader& r, std::string& reply) {
  if (name != own) return false;
  std::tuple<Bare<A>...> args;
  fillTuple(r, args, std::index_sequence_for<A...>{});
  reply = "{\"value\":";
  auto invoke = [&](auto&... a) -> R { return function(static_cast<A&&>(a)...); };
  if constexpr (std::is_void_v<R>) { std::apply(invoke, args); reply += "null"; }
  else write(reply, Bare<R>(std::apply(invoke, args)));
  reply += ",\"args\":";
  write(reply, args);
  reply += "}";
  return true;
}

/** How often the tests asserted something, and called the program. */
inline long checks = 0, calls = 0;
inline void check(bool holds, const char* text, int line) {
  ++checks;
  if (holds) return;
  std::fprintf(stderr, "tests.cpp:%d: Assertion \`%s' failed.\n", line, text);
  std::abort();
}

/** Waits until the program has said that it serves. */
inline void begin() { static const bool done = [] { std::string hello; if (!channel().line(hello)) _exit(7); return true; }(); (void)done; }

/** Makes one call from the tests' side. */
template <class R, class... A> R call(const char* name, A&&... args) {
  begin();
  ++calls;
  std::string text = std::string("C{\"op\":\"call\",\"of\":\"") + name + "\",\"args\":[";
  bool first = true;
  ((first ? void() : void(text += ','), first = false, write(text, args)), ...);
  channel().say(text + "],\"kwargs\":{}}");
  std::string reply;
  if (!channel().line(reply)) _exit(7);
  Reader r{reply.data(), reply.data() + reply.size()};
  if (!r.take("{\"value\":")) { std::fprintf(stderr, "%s\n", reply.c_str()); _exit(8); }
  auto leave = [&] {
    if (!r.take(",\"args\":")) return;
    std::tuple<Bare<A>...> back;
    fillTuple(r, back, std::index_sequence_for<A...>{});
    auto keep = [](auto& into, auto& from) { if constexpr (!std::is_const_v<std::remove_reference_t<decltype(into)>>) into = from; };
    [&]<std::size_t... I>(std::index_sequence<I...>, auto into) { (keep(std::get<I>(into), std::get<I>(back)), ...); }(std::index_sequence_for<A...>{}, std::forward_as_tuple(args...));
  };
  try {
    if constexpr (std::is_void_v<R>) { r.take("null"); leave(); }
    else { auto value = read<Bare<R>>(r); leave(); return value; }
  } catch (const std::exception& error) { std::fprintf(stderr, "%s\n", error.what()); _exit(8); }
}
}
`;
