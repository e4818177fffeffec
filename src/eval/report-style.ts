/** The style sheet of report.html: system fonts, two hues that stay apart for colour-blind readers, light and dark. */
export const reportStyle = `
:root {
  --page: #fbfbfa; --card: #ffffff; --ink: #1d1f23; --soft: #62666f; --line: #e4e4e0; --faint: #f3f3f0;
  --blue: #2a6fdb; --orange: #c8500b; --green: #17794a; --red: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --card: #1c1f23; --ink: #e8e8e5; --soft: #9a9ea7; --line: #31353b; --faint: #24272c;
    --blue: #6ea8ff; --orange: #ff9d57; --green: #5ccf96; --red: #ff8a80;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 0 0 12px; }
h3 { font-size: 15px; margin: 0 0 8px; color: var(--soft); font-weight: 600; }
header p { margin: 6px 0 0; color: var(--soft); }
small, .note { color: var(--soft); }
small { white-space: nowrap; }
.note { font-size: 14px; margin: 10px 0 0; }
section, figure, details { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 22px; margin: 20px 0 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)); gap: 16px; margin: 24px 0 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px; }
.tile dt { color: var(--soft); font-size: 14px; }
.tile dd { margin: 2px 0 0; font-size: 24px; font-weight: 650; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile small { font-size: 14px; font-weight: 400; letter-spacing: 0; }
.before { color: var(--soft); font-weight: 450; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 16px; background: none; border: 0; padding: 0; }
figure { margin: 0; padding: 18px 18px 10px; min-width: 0; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 2px 16px; margin-bottom: 8px; }
figcaption h2 { margin: 0; }
svg { display: block; width: 100%; height: auto; }
.tick { font-size: 13px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); }
.axis { stroke: var(--soft); }
.series-0 { color: var(--blue); }
.series-1 { color: var(--orange); }
polyline { fill: none; stroke: currentColor; stroke-linejoin: round; stroke-linecap: round; }
.raw { stroke-width: 1.2; opacity: 0.35; }
.smooth { stroke-width: 2.6; }
.bar { stroke: currentColor; stroke-width: 1.6; }
.dot { fill: currentColor; stroke: var(--card); stroke-width: 1.5; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 0; padding: 0; font-size: 14px; }
.legend li::before { content: ""; display: inline-block; width: 16px; height: 3px; border-radius: 2px; background: currentColor; margin-right: 7px; vertical-align: middle; }
.legend .marks::before { width: 9px; height: 9px; border-radius: 50%; }
table { border-collapse: collapse; }
th, td { padding: 7px 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: baseline; }
tbody tr:last-child > * { border-bottom: 0; }
.scores { width: 100%; max-width: 640px; font-variant-numeric: tabular-nums; }
.scores th[scope="row"] { font-weight: 400; }
.scores td, .scores th[scope="col"] { text-align: right; white-space: nowrap; padding-left: 24px; }
.scores thead th { color: var(--soft); font-size: 14px; font-weight: 600; }
.scores td:last-child { font-weight: 650; }
.scores small { font-weight: 400; }
.wide { overflow-x: auto; }
.figures { font-variant-numeric: tabular-nums; }
.figures th[scope="row"] { font-weight: 400; white-space: nowrap; }
.figures td, .figures th[scope="col"] { text-align: right; padding-left: 24px; white-space: nowrap; }
.figures thead th { color: var(--soft); font-size: 14px; font-weight: 600; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 20px; align-items: start; }
.columns > * { min-width: 0; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.prompt { background: var(--faint); border-radius: 8px; padding: 10px 14px; margin-bottom: 18px; }
article { border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px 12px; margin-bottom: 12px; }
.meta { display: flex; gap: 12px; align-items: baseline; margin: 0; font-size: 14px; color: var(--soft); }
.verdict { font-weight: 650; }
.right { color: var(--green); }
.wrong { color: var(--red); }
.label { margin: 8px 0 2px; font-size: 13px; color: var(--soft); }
.thought { border-left: 3px solid var(--line); padding-left: 11px; color: var(--soft); }
.answer { border-left: 3px solid var(--blue); padding-left: 11px; font-weight: 650; }
.none { font-weight: 400; color: var(--soft); }
summary { cursor: pointer; font-weight: 600; }
details .columns { margin-top: 12px; }
.settings { width: 100%; font-size: 14px; }
.settings th { font-weight: 400; color: var(--soft); padding-right: 16px; }
.settings td { text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
@media (max-width: 560px) { main { padding: 24px 14px 40px; } section, details { padding: 16px; } .scores td, .scores th[scope="col"] { padding-left: 12px; white-space: normal; } .tile dd { font-size: 21px; } }
`;
