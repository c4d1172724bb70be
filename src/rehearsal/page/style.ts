/** Each colour comes with a word, a number or a pattern; light and dark mode. */
export const pageStyle = `
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #ffffff; --ink: #1a2027; --soft: #57606c; --line: #dde2e8; --lane: #f3f5f8; --rail: #d5dbe3;
  --good: #1a7f4b; --good-soft: #e3f4ea; --bad: #b3261e; --bad-soft: #fbe9e7; --unsure: #8a5a00; --unsure-soft: #fdf1d8;
  --mounted: #2b6cb0; --address: #6b46a8; --script: #5b6776; --served: #bfe3cd; --shade: rgba(179, 38, 30, 0.09); --on-dark: #ffffff; --deed: #1a2027; --on-deed: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #12161b; --card: #1a2027; --ink: #e7ebf0; --soft: #9ca7b4; --line: #303944; --lane: #202831; --rail: #3a4551;
    --good: #5fd39a; --good-soft: #173527; --bad: #ff8a80; --bad-soft: #45211f; --unsure: #f2c46d; --unsure-soft: #3d3016;
    --mounted: #3f83cc; --address: #8f6bd0; --script: #7b8897; --served: #2c5a41; --shade: rgba(255, 138, 128, 0.13); --deed: #e7ebf0; --on-deed: #12161b; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 48px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 14px; }
h2 { font-size: 20px; line-height: 1.3; margin: 0 0 8px; }
h3 { font-size: 15px; font-weight: 600; margin: 20px 0 6px; }
p { margin: 6px 0; }
a { color: inherit; }
code { font: 13px/1.4 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; background: var(--lane); border-radius: 4px; padding: 1px 5px; }
.verdict { border-radius: 10px; padding: 18px 22px; border-left: 8px solid; background: var(--card); }
.verdict p { font-size: 18px; line-height: 1.4; font-weight: 600; margin: 0; }
.verdict.pass { border-color: var(--good); background: var(--good-soft); }
.verdict.fail { border-color: var(--bad); background: var(--bad-soft); }
.word { display: inline-block; font-weight: 700; font-size: 12px; letter-spacing: 0.04em; border-radius: 5px; padding: 1px 8px; margin-right: 8px; border: 1.5px solid; white-space: nowrap; vertical-align: 2px; }
.verdict .word { font-size: 15px; padding: 2px 10px; }
.pass > .word, .word.pass, .word.good, .word.better { color: var(--good); } .fail > .word, .word.fail, .word.bad, .word.worse { color: var(--bad); } .word.unsure { color: var(--unsure); } .word.new, .word.same { color: var(--soft); }
.facts { color: var(--soft); font-size: 13px; margin: 8px 0 0; }
.note { background: var(--unsure-soft); color: var(--ink); border-radius: 8px; padding: 10px 14px; margin: 14px 0 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 20px 22px 22px; margin-top: 22px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 12.5px; padding: 4px 14px 6px 0; border-bottom: 1px solid var(--line); }
td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 36px; }
.members { display: grid; grid-template-columns: repeat(auto-fit, minmax(270px, 1fr)); gap: 14px; margin-top: 14px; }
.member { border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.member strong { font-size: 16px; margin-right: 8px; }
.member ul, .list { margin: 8px 0 0; padding-left: 18px; font-size: 14px; }
.member li, .list li { margin: 5px 0; }
.helps { color: var(--soft); display: block; }
.score { height: 8px; border-radius: 4px; background: var(--rail); margin: 8px 0 4px; overflow: hidden; }
.score i, .meter i { display: block; height: 100%; background: var(--good); border-radius: 4px; }
.bad .score i, .over .meter i { background: repeating-linear-gradient(135deg, var(--bad) 0 5px, transparent 5px 8px); }
.meter { height: 9px; border-radius: 4px; background: var(--rail); overflow: hidden; margin-top: 3px; }
.budgets { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 8px 36px; font-size: 14px; }
.parts { font-size: 14px; margin: 14px 0 4px; } .part-name { white-space: nowrap; }
.outage-bar { display: flex; height: 20px; background: var(--rail); border-radius: 4px; overflow: hidden; }
.part { display: block; height: 100%; border-right: 1px solid var(--card); }
.swatch.part { display: inline-block; width: 12px; height: 12px; margin-right: 5px; border: 1px solid var(--soft); border-radius: 2px; vertical-align: -1px; }
.part.detect { background: repeating-linear-gradient(135deg, var(--bad) 0 4px, var(--bad-soft) 4px 8px); } .part.halt { background: var(--script); }
.part.mount { background: var(--mounted); } .part.address { background: var(--address); }
.part.first-answer { background: repeating-linear-gradient(90deg, var(--good) 0 2px, var(--served) 2px 6px); }
.drawing { margin: 14px 0 0; } .drawing svg { display: block; max-width: 100%; height: auto; }
.middle, .narrow { display: none; } .middle svg { width: 100%; max-width: 860px; }
@media (max-width: 1120px) { .wide { display: none; } .middle { display: block; } }
@media (max-width: 640px) { .middle { display: none; } .narrow { display: block; } }
.number-mark, .letter-mark { display: inline-block; min-width: 18px; height: 18px; line-height: 16px; text-align: center; font-size: 11.5px; font-weight: 700; border: 1.5px solid var(--ink); margin-right: 8px; padding: 0 3px; }
.number-mark { border-radius: 9px; } .letter-mark { border-radius: 3px; background: var(--deed); color: var(--on-deed); }
dl.legend { display: flex; flex-wrap: wrap; gap: 6px 20px; margin: 12px 0 0; font-size: 13px; color: var(--soft); } dl.legend div { display: flex; align-items: center; gap: 6px; } dl.legend dd { margin: 0; } dl.legend dt svg { display: block; }
.missing { color: var(--soft); }
footer { color: var(--soft); font-size: 13px; margin: 22px 2px 0; }
svg text { font: 11px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; fill: var(--ink); }
svg .lane { fill: var(--lane); } svg .lane-name { font-weight: 700; font-size: 13px; } svg .row-name, svg .tick-text { fill: var(--soft); }
svg .rail { fill: var(--rail); } svg .tick { stroke: var(--line); stroke-dasharray: 2 3; } svg .zero { stroke: var(--ink); stroke-width: 1.5; }
svg .bar.mounted { fill: var(--mounted); } svg .bar.address { fill: var(--address); } svg .bar.halting, svg .bar.starting { fill: var(--script); }
svg .bar-text { font-weight: 600; fill: var(--on-dark); } svg .served { fill: var(--served); }
svg .lost { fill: url(#hatch); stroke: var(--bad); } svg .bar-text.on-lost { fill: var(--bad); font-weight: 700; paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
svg .outage-shade { fill: var(--shade); } svg .down { fill: var(--card); stroke: var(--soft); stroke-dasharray: 4 3; } svg .down-text { fill: var(--soft); font-weight: 600; }
svg .allowed { stroke: var(--unsure); stroke-width: 2; stroke-dasharray: 6 4; } svg .allowed-text { fill: var(--unsure); font-weight: 700; paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
svg .moment line { stroke: var(--ink); stroke-opacity: 0.45; } svg .moment circle { fill: var(--card); stroke: var(--ink); stroke-width: 1.5; } svg .moment text { font-weight: 700; }
svg .deed rect { fill: var(--deed); } svg .deed text { fill: var(--on-deed); font-weight: 700; } svg .deed.violation rect { fill: var(--bad); }
.defs { position: absolute; width: 0; height: 0; }
@media (max-width: 760px) {
  main { padding: 16px 12px 32px; } section { padding: 16px 14px; } .verdict { padding: 14px 16px; } .verdict p { font-size: 16px; } h1 { font-size: 22px; } h2 { font-size: 18px; }
  .columns { grid-template-columns: 1fr; }
  table.stacked thead { display: none; } table.stacked tr { display: block; padding: 8px 0; border-bottom: 1px solid var(--line); } table.stacked tr:last-child { border-bottom: 0; }
  table.stacked td { display: grid; grid-template-columns: 108px 1fr; gap: 8px; border: 0; padding: 2px 0; text-align: left; white-space: normal; } table.stacked td::before { content: attr(data-label); color: var(--soft); font-size: 12.5px; }
}
@media print { body { background: #ffffff; } section { break-inside: avoid; } }
`;
