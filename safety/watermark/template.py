"""The page of a watermark report, as a Jinja2 template: page.py fills it in."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #5c6670; --line: #dde2e8; --mark: #0b62c4;
  --card: #f6f8fa; --warn: #fff6e0; --warnline: #d9a300; --good: #1a7f4b; --half: #8a6d00; --bad: #b3261e;
  --k0: #0b62c4; --k1: #c2410c; --k2: #1a7f4b; --k3: #7c3aed; --k4: #a3195b; --k5: #0e7490; --k6: #7a5c00; --k7:
#57606a;
  --h0: #b2182b; --h1: #cf5246; --h2: #e58267; --h3: #f3b091; --h4: #f8d9c6; --h5: #eef1f4; --h6: #d3e4f0;
  --h7: #a7cee3; --h8: #6aaed3; --h9: #3787bd; --h10: #1c6199; --dark: #10151b; --pale: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa4af; --line: #30363d;
  --mark: #6cb0ff; --card: #161b22; --warn: #2a2312; --warnline: #a67c00; --good: #4cc38a; --half: #d6b13c;
  --bad: #ff7b72; --k0: #6cb0ff; --k1: #ffa05c; --k2: #4cc38a; --k3: #b794ff; --k4: #ff8ab8; --k5: #56c8d8;
  --k6: #d6b13c; --k7: #9aa4af; --h0: #d1404a; --h1: #b93d43; --h2: #96383d; --h3: #743439; --h4: #4f3036;
  --h5: #2a2f37; --h6: #27405a; --h7: #2a577f; --h8: #2f70a5; --h9: #4490cb; --h10: #71b6ea; } }
* { box-sizing: border-box; }
body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1080px;
  margin: 0 auto; padding: 2.2rem 1.4rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.22rem; margin: 2.8rem 0 .5rem; padding-top: .9rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.6rem 0 .3rem; }
p { margin: .45rem 0; max-width: 46rem; } ul, ol { max-width: 46rem; padding-left: 1.3rem; } li { margin: .25rem 0; }
.soft, small { color: var(--soft); } .none { color: var(--soft); font-style: italic; }
.num { white-space: nowrap; font-variant-numeric: tabular-nums; }
.good { color: var(--good); } .half { color: var(--half); } .bad { color: var(--bad); }
.scroll { overflow-x: auto; } .scroll:focus { outline: 2px solid var(--mark); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0; font-size: .92rem; }
th, td { text-align: left; padding: .28rem .9rem .28rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; } tbody tr:last-child td { border-bottom: none; }
td:first-child { white-space: nowrap; }
code, pre { font: .9em/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--card); padding: .7rem .9rem; border-radius: 6px; white-space: pre-wrap; }
.caution { background: var(--warn); border-left: 4px solid var(--warnline); border-radius: 4px; padding: .5rem .9rem;
  margin: 1.1rem 0; } .caution p { margin: .2rem 0; max-width: none; }
.brief { background: var(--card); border-radius: 8px; padding: .7rem 1.1rem; margin: 1.1rem 0; }
.brief ul { max-width: none; margin: .3rem 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .9rem; margin: 1.1rem 0; }
.cardbox { border: 1px solid var(--line); border-radius: 10px; padding: .8rem 1rem; }
.cardbox h3 { margin: 0; } .cardbox .big { font-size: 1.9rem; font-weight: 650; line-height: 1.2;
  font-variant-numeric: tabular-nums; } .cardbox p { margin: .1rem 0; font-size: .9rem; }
.cardbox dl { margin: .5rem 0 0; font-size: .9rem; }
nav { font-size: .93rem; margin: .9rem 0 0; line-height: 1.9; } nav a { margin-right: .9rem; white-space: nowrap; }
a { color: var(--mark); text-decoration: none; } a:hover { text-decoration: underline; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1.2rem 1.6rem;
  margin: .8rem 0; } .panels > div { min-width: 0; max-width: 34rem; }
svg.panel { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font-size: 12px; } svg .tick { text-anchor: middle; fill: var(--soft); }
svg .tick.end { text-anchor: end; } svg .label { text-anchor: middle; fill: var(--soft); }
svg .grid { stroke: var(--line); } svg .guide { stroke: var(--soft); stroke-dasharray: 2 3; }
svg .zero { stroke: var(--soft); } svg .line { fill: none; stroke-width: 2.2; } svg .bin { fill: var(--k0); opacity:
.75; }
svg .band { opacity: .13; stroke: none; } svg.gap { display: block; } svg.gap .bar { stroke: var(--mark);
  stroke-width: 2; fill: none; } svg.gap .dot { fill: var(--mark); }
{{ kinds }}
.legend { color: var(--soft); font-size: .86rem; margin: .2rem 0 0 2.4rem; max-width: none; }
.legend span { margin-right: .9rem; white-space: nowrap; display: inline-flex; align-items: center; gap: .35em; }
.heat { border-spacing: 2px; border-collapse: separate; } .heat th, .heat td { border: none; padding: .2rem .45rem; }
.heat td.c { text-align: center; border-radius: 4px; min-width: 3rem; line-height: 1.25; white-space: nowrap; }
.heat td.c small { display: block; color: inherit; opacity: .85; font-size: .74rem; }
.heat td.c b { font-weight: 600; } .heat th.fam { text-align: left; padding-top: .7rem; text-transform: capitalize; }
.heat td.name { white-space: nowrap; } .heat td.void { color: var(--soft); text-align: center; font-style: italic; }
{{ heats }}
.scale { display: flex; align-items: center; gap: .5rem; font-size: .86rem; color: var(--soft); margin: .4rem 0; }
.scale i { display: inline-block; width: 1.5rem; height: .8rem; } .scale i:first-of-type { border-radius: 4px 0 0 4px; }
.pick { border: 0; padding: 0; margin: .7rem 0 .3rem; } .pick label { margin-right: 1.1rem; cursor: pointer;
  white-space: nowrap; } .pick legend { color: var(--soft); font-size: .88rem; padding: 0; }
.heatbox:has(.m0:checked) .heat.v1, .heatbox:has(.m0:checked) .heat.v2, .heatbox:has(.m1:checked) .heat.v0,
.heatbox:has(.m1:checked) .heat.v2, .heatbox:has(.m2:checked) .heat.v0, .heatbox:has(.m2:checked) .heat.v1
{ display: none; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--mark); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.1rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 640px) { body { padding: 1.3rem 1rem 3rem; } dl.wide { grid-template-columns: 1fr; }
  dl.wide dd { margin-bottom: .4rem; } .legend { margin-left: 0; } }
@media print { body { max-width: none; } .heat { display: table !important; } }
"""

PAGE = """{% macro iv(found, form="{:.3f}") %}<span class="num">{{ found | interval(form) }}</span>{% endmacro %}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Watermark audit: {{ names | join(", ") }}</title>
<style>{{ style }}</style>
</head>
<body>
<h1>Watermark audit: {{ names | join(", ") }}</h1>
<p class="soft">{{ about.title }} · {{ figures.clips }} clips of {{ figures.clusters }}
{{ "files" if not plan.generator else "prompts" }} · {{ "{:,}".format(figures.trials) }} trials · {{ about.created }} ·
plan <code>{{ plan.sha256[:12] }}</code></p>
<nav aria-label="Sections">
<a href="#scope">Scope</a> <a href="#attacks">Attacks</a> <a href="#roc">Detection</a>
<a href="#honesty">False alarms</a> <a href="#cost">Cost</a> <a href="#life">Reshares</a>
<a href="#frontier">Removal and forgery</a> {% if figures.comparisons %}<a href="#compare">Marks compared</a>{% endif %}
<a href="#groups">Which clips</a> <a href="#ledger">Not measured</a> <a href="#limits">Limits</a>
<a href="#again">Run it again</a>
</nav>
{% if about.notes %}
<div class="caution" role="note">{% for note in about.notes %}<p>{{ note }}</p>{% endfor %}</div>
{% endif %}
<div class="cards">
{% for mark in figures.marks %}{% set clean = mark | clean %}
<div class="cardbox"><h3>{{ mark.facts.name }}</h3>
<p class="soft">{{ mark.facts.summary }}</p>
<p class="big">{{ mark | attacked_detected }}</p>
<p class="soft">of attacked clips detected {% if mark.level %}at a false alarm rate of {{ mark.level | rate }}{% else
%}: undecidable with {{ mark.facts.bits }} bits{% endif %}</p>
<dl>
<dt>bits read</dt><dd>{{ clean.accuracy | interval("{:.3f}") if clean else "–" }} untouched</dd>
<dt>mark's cost</dt><dd>{% if mark.quality.db.value is not none %}{{ mark.quality.db | interval("{:.1f}") }} dB{% else
%}no twin to compare with{% endif %}</dd>
<dt>half-life</dt><dd>{{ mark | halflife }}</dd>
<dt>false alarms</dt><dd>{{ mark | alarms }}</dd>
</dl></div>
{% endfor %}
</div>
<div class="brief"><strong>In short</strong>
<ul>{% for line in findings %}<li>{{ line }}</li>{% endfor %}</ul>
<p class="soft">Intervals hold at {{ "%.0f" | format(100 * plan.confidence) }} % and are over files, not over trials.
Read
the <a href="#limits">limits</a> before you quote any of this.</p></div>

<h2 id="scope">Scope, and the questions fixed beforehand</h2>
<ol>{% for question in plan.questions %}<li>{{ question }}</li>{% endfor %}</ol>
<dl class="wide">
<dt>clips</dt><dd>{{ figures.clips }} stretches of {{ plan.form.frames }} frames at most, {{ "at their own size" if
plan.form.side is none else "the shorter side at most " ~ plan.form.side ~ " pixels" }}: {{ figures.clusters }}
different
{{ "files" if not plan.generator else "prompts" }}</dd>
<dt>unmarked, only read</dt><dd>{{ plan.negatives | length }} further clips</dd>
<dt>attacks</dt><dd>{{ plan.attacks | length }} with {{ strengths }} strengths{% if plan.schemes %}, and {{
plan.schemes |
length }} schemes with more than one clip{% endif %}</dd>
<dt>seeds, keys</dt><dd>{{ plan.seeds | length }}; a fresh random message for {{ "each clip, shared by its attacks" if
plan.messages == "clip" else "each trial" }}; unmarked clips are held against a fresh one in every trial</dd>
<dt>visible, spoilt</dt><dd>a mark below {{ plan.quality_db }} dB counts as visible; an attack below {{ plan.attack_db
}}
dB has destroyed the clip</dd>
<dt>tests</dt><dd>false discovery rate {{ plan.false_discovery }} within each family of tests
(Benjamini–Hochberg)</dd>
<dt>plan</dt><dd><code>{{ plan.sha256 }}</code></dd></dl>
<div class="scroll" tabindex="0"><table><thead><tr><th>mark</th><th>version</th>
<th>stream</th><th>bits</th><th>method</th>
<th>source</th><th>weights</th></tr></thead><tbody>
{% for mark in plan.marks %}<tr><td>{{ mark.name }}</td><td>{{ mark.version }}</td><td>{{ mark.stream }}</td>
<td>{{ mark.bits }}</td><td>{{ mark.summary }}</td><td>{{ mark.source }}</td>
<td><code>{{ mark.weights_sha256[:12] or "–" }}</code></td></tr>{% endfor %}</tbody></table></div>

<h2 id="attacks">What it survives</h2>
<p>One row for each attack, mild to strong from left to right; under each figure the strength. Point at a cell for its
interval and trials. Half of the bits agree by chance.</p>
<div class="heatbox">
<fieldset class="pick"><legend>show</legend>
{% for measure in measures %}<label><input type="radio" name="measure" class="m{{ loop.index0 }}"{{ " checked" if
loop.first }}> {{ measure.name }}</label>{% endfor %}</fieldset>
<p class="scale">0 % {% for step in range(11) %}<i class="h{{ step }}"></i>{% endfor %} 100 %
<span>(bit accuracy: 50 to 100 %)</span></p>
{% for mark in figures.marks %}
<h3>{{ mark.facts.name }}</h3>
{% for measure in measures %}
<div class="scroll" tabindex="0"><table class="heat v{{ loop.index0 }}"
aria-label="{{ measure.name }} of {{ mark.facts.name }} by attack and strength"><tbody>
{% for family, rows in mark | heat(measure.key) %}
<tr><th class="fam" colspan="{{ columns + 1 }}">{{ family or "not attacked" }}</th></tr>
{% for row in rows %}<tr><td class="name" title="{{ row.summary }}">{{ row.name }} <small>{{ row.unit }}</small></td>
{% for cell in row.cells %}{% if cell.step is none %}<td class="void" title="{{ cell.title }}">–
<small>{{ cell.strength }}</small></td>{% else %}<td class="c h{{ cell.step }}" title="{{ cell.title }}"><b>{{ cell.text
}}</b><small>{{ cell.strength }}</small></td>{% endif %}{% endfor %}</tr>
{% endfor %}{% endfor %}</tbody></table></div>
{% endfor %}
{% endfor %}
</div>
<details><summary>All figures with intervals, capacity and quality</summary>
{% for mark in figures.marks %}<h3>{{ mark.facts.name }}</h3>
<div class="scroll" tabindex="0"><table><thead><tr><th>attack</th><th>strength</th><th>bit accuracy</th><th>whole
message</th>{% for rate in plan.rates %}<th>detected at {{ rate | rate }}</th>{% endfor %}<th>capacity,
bits</th><th>PSNR,
dB</th><th>XPSNR</th><th>failed, skipped</th></tr></thead><tbody>
{% for cell in mark.cells + mark.schemes %}<tr><td>{{ cell.attack }}</td><td class="num">{{ "%g" |
format(cell.strength) if
cell.strength is not none else "–" }}</td><td>{{ iv(cell.accuracy) }}</td><td class="num">{{ cell.message | share
}}</td>
{% for found in cell.detected.values() %}<td class="num">{{ found | share if mark.decidable[loop.index0].matches is
not none
else "undecidable" }}</td>{% endfor %}<td>{{ iv(cell.capacity, "{:.1f}") }}</td>
<td class="num">{{ cell.attack_db | decibel }}</td><td class="num">{{ cell.attack_xpsnr | decibel }}</td>
<td class="num">{{ cell.failed }}, {{ cell.skipped }}</td></tr>{% endfor %}</tbody></table></div>{% endfor %}
<p class="soft">Shares: Clopper–Pearson on the effective number of trials (Korn and Graubard 1998). Capacity: n(1 −
H₂(bit
accuracy)).</p></details>

<h2 id="roc">Detection against false alarms</h2>
<p>Lines use the message: their false alarm rate is the binomial's and exact, down to 2<sup>−bits</sup>. The observed
one, where there is one, uses the mark's own score of presence, and nothing is known of it below one over the number of
unmarked readings.</p>
<div class="panels">{% for mark in figures.marks %}<div><h3>{{ mark.facts.name }}</h3>{{ plots.roc_plot(mark.curves,
mark.facts.name) }}</div>{% endfor %}</div>

<h2 id="honesty">False alarms, and what these numbers can bear</h2>
<h3>What the bits can decide</h3>
<div class="scroll" tabindex="0"><table><thead><tr><th>mark</th>{% for rate in plan.rates %}<th>{{ rate | rate }}</th>
{% endfor %}<th>alignments searched</th></tr></thead><tbody>
{% for mark in figures.marks %}<tr><td>{{ mark.facts.name }}</td>{% for one in mark.decidable %}<td class="num">
{% if one.matches is none %}<span class="bad">impossible with {{ mark.facts.bits }} bits</span>{% else %}{{
one.matches }}
of {{ mark.facts.bits }}{% endif %}</td>{% endfor %}<td>{{ mark.decidable[0].searched }}</td></tr>{% endfor %}
</tbody></table></div>
<p class="soft">Fewest matching bits at each false alarm rate, after the alignments that the detector tries are paid for
(Bonferroni). For comparison: 16 bits cannot reach {{ 1e-6 | rate }} at all.</p>
<h3>Is the p-value what it says?</h3>
<p>Every unmarked reading was held against a fresh random message, so that matching bits are fair coin flips whatever
the
decoder does. Spread over their steps, the p-values must be flat.</p>
<div class="panels">{% for mark in figures.marks %}<div>{{ plots.null_plot(mark.null, mark.facts.name) }}
<p class="legend">{{ mark.facts.name }}: {{ mark.null.trials }} readings ({{ mark.null.by_kind | counts }}); {% if
mark.null.uniformity.p is not none %}Kolmogorov–Smirnov {{ "%.3f" | format(mark.null.uniformity.statistic) }}, p {{
"%.2g" |
format(mark.null.uniformity.p) }}{% else %}no test{% endif %}</p></div>{% endfor %}</div>
<h3>Observed false alarms</h3>
<div class="scroll" tabindex="0"><table><thead><tr><th>mark</th><th>rate</th><th>by message: seen (expected)</th><th>by
presence</th><th>so the rate is below</th><th>if only files count</th><th>clips needed</th></tr></thead><tbody>
{% for mark in figures.marks %}{% for alarm in mark.null.alarms %}<tr><td>{{ mark.facts.name if loop.first }}</td>
<td class="num">{{ alarm.rate | rate }}</td><td class="num">{% if alarm.exact is none %}impossible{% else %}{{
alarm.exact }}
({{ "%.2g" | format(alarm.expected) }}){% endif %}</td>
<td class="num">{% if alarm.presence is none %}no test{% else %}{{ alarm.presence.count }} of {{ alarm.presence.of }}
{% endif %}</td>
<td class="num {{ alarm | verdict }}">{% if alarm.bound
is
none %}–{% else %}{{ "%.2g" | format(alarm.bound) }}{{ ": more than claimed" if alarm.too_many else "" if alarm.bound
<= alarm.rate else ": undecided" }}{% endif
%}</td>
<td class="num">{% if alarm.bound_clusters is none %}–{% else %}{{ "%.2g" | format(alarm.bound_clusters) }}{% endif
%}</td>
<td class="num">{{ "{:,}".format(alarm.needed) }}</td></tr>{% endfor %}{% endfor %}</tbody></table></div>
<p class="soft">Upper limits are one-sided, 95 %, exact: after none in N it is the rule of three, about 3/N. The last
column
says how many unmarked clips without an alarm would show the rate. Readings of one file, attacked in several ways, are
no
independent clips: the truth lies between the two limits.</p>
<h3>One key, one message: over-dispersion</h3>
<div class="scroll" tabindex="0"><table><thead><tr><th>mark</th><th>files</th><th>lean of a bit</th>
<th>correlation<br>of two</th><th>inflation,<br>unluckiest 5 %</th>
<th>p of<br>fair coins</th><th>alarms,<br>unluckiest 1 %</th></tr></thead><tbody>
{% for mark in figures.marks %}{% set found = mark.null.dispersion %}<tr><td>{{ mark.facts.name }}</td>
{% if found is none %}<td colspan="6" class="none">fewer than five unmarked files</td>{% else %}
<td>{{ found.clips }}</td><td class="num">{{ "%.3f" | format(found.bias) }} (fair: {{ "%.3f" | format(found.bias_fair)
}})</td><td class="num">{{ "–" if found.correlation is none else "%.3f" | format(found.correlation) }} (fair: {{
"%.3f" |
format(found.correlation_fair) }})</td>
<td class="num">×{{ "%.2f" | format(found.inflation) }} (fair: ×{{ "%.2f" | format(found.inflation_fair) }})</td>
<td class="num {{ "bad" if found.p < 0.01 else "" }}">{{ "%.3g" | format(found.p) }}</td>
<td class="num">{{ "–" if found.worst_alarms is none else "%.1f %%" | format(100 * found.worst_alarms) }} at {{
found.rate |
rate }}</td>{% endif %}</tr>{% endfor %}</tbody></table></div>
<p class="soft">Unmarked clips under one key, one of each file. Bits that lean or go together agree with some messages
too
often: an owner with one fixed message then has other false alarms than the binomial's. Where p is small, draw a message
for every clip, or decide by the test of presence.</p>
<h3>With another key</h3>
<ul>{% for mark in figures.marks %}<li>{{ mark.facts.name }}: marked clips, read with a key that is not theirs, agree in
{{ iv(mark.null.other_key) }} of the bits; {{ mark.null.other_key_alarms | share }} pass at {{ plan.rates | max | rate
}}.
</li>{% endfor %}</ul>

<h2 id="cost">What it costs</h2>
<div class="scroll" tabindex="0"><table><thead><tr><th>mark</th><th>PSNR, dB</th><th>worst clip</th><th>below {{
plan.quality_db }}</th><th>SSIM</th><th>XPSNR, dB</th><th>marking</th><th>reading</th><th>plain decoding</th>
<th>at</th></tr></thead><tbody>
{% for mark in figures.marks %}<tr><td>{{ mark.facts.name }}</td><td>{{ iv(mark.quality.db, "{:.1f}") }}</td>
<td class="num">{{ mark.quality.worst_db | decibel }}</td><td class="num">{{ mark.quality.below }} of {{
mark.quality.clips
}}</td><td>{{ iv(mark.quality.ssim, "{:.4f}") }}</td><td>{{ iv(mark.quality.xpsnr, "{:.1f}") }}</td>
<td class="num">{{ mark.speed.embed | fps }}</td><td class="num">{{ mark.speed.detect | fps }}</td>
<td class="num">{{ mark.speed.decode | fps }}</td><td>{{ mark.speed.size }}</td></tr>{% endfor %}</tbody></table></div>
<p class="soft">PSNR of sound marks is signal over noise. Speeds are frames a second of one process, with all others
busy, in
this run; decoding is of whole files at their own size.</p>
{% for mark in figures.marks if mark.tax %}
<h3>The tax of {{ mark.facts.name }} on other metrics</h3>
<div class="scroll" tabindex="0"><table><thead><tr><th>metric</th><th>unmarked</th><th>marked</th><th>difference</th>
<th></th><th>adjusted p</th><th>clips</th></tr></thead><tbody>
{% for one in mark.tax %}<tr><td>{{ one.metric }} <small>{{ one.better }}</small></td><td class="num">{{ one.unmarked |
number }}</td><td class="num">{{ one.marked | number }}</td><td>{{ iv(one.difference, "{:+.3g}") }}</td>
<td>{{ one | taxbar }}</td>
<td class="num {{ "bad" if one.q is not none and one.q < plan.false_discovery else "" }}">{{ one.q | p }}</td>
<td class="num" title="{{ one.reason }}">{{ one.scored }} of {{ one.expected }}</td></tr>{% endfor %}
{% if mark.diversity %}<tr><td>diversity <small>Vendi score, {{ mark.diversity.encoder }}</small></td><td class="num">{{
mark.diversity.unmarked | number }}</td><td class="num">{{ mark.diversity.marked | number }}</td>
<td>{% if mark.diversity.reason %}<span class="none">{{ mark.diversity.reason }}</span>{% else %}{{
iv(mark.diversity.difference, "{:+.3g}") }}{% endif %}</td><td></td><td></td><td class="num">{{ mark.diversity.clips }}
</td></tr>{% endif %}</tbody></table></div>
{% endfor %}
{% if plan.compared %}<p class="soft">Twins scored alike; the bar is the difference over the metric's spread among
unmarked clips (both ends: one standard deviation). p: exact sign flips over files.{% if
plan.borrowed %} {{ plan.borrowed | map("first") | join(", ") }}: a twin against the unmarked one, by the auditor's own
program; "unmarked" is that clip against itself.{% endif %}</p>
{% else %}<p class="none">The tax on other metrics was not asked for.</p>{% endif %}

<h2 id="life">How many reshares it survives</h2>
{% if lives %}
<div class="panels">{% for chain, curves, label in lives %}<div><h3>{{ chain }}</h3>{{ plots.survival_plot(curves,
label) }}
<ul>{% for name, curve in curves %}<li>{{ name }}: {{ curve | half }}</li>{% endfor %}</ul></div>{% endfor %}</div>
<p class="soft">Share of clips whose p stays at or below the strictest rate that the mark can decide; once lost, lost.
Kaplan–Meier; bands widened by the clips that share a file, exact where the curve is 1 or 0.</p>
{% else %}<p class="none">No attack of this plan shares a clip on and on (unit: generations), or none of the marks can
decide
a rate.</p>{% endif %}

<h2 id="frontier">Removal against forgery, at equal quality</h2>
<p>How much an attacker wins who may spoil the clip only so far: clips whose mark is gone, against clips that were never
marked and pass for marked. Further right is better quality; a line is the best of all attacks at that quality.</p>
<div class="panels">{% for mark in figures.marks %}<div><h3>{{ mark.facts.name }}</h3>
{% if mark.frontier.points %}{{ plots.frontier_plot(mark.frontier, mark.facts.name) }}{% else %}<p class="none">{{
mark.frontier.reason or "no attack of this plan keeps the clip's size and length, so that none has a quality" }}</p>
{% endif %}</div>{% endfor %}</div>
{% for mark in figures.marks if mark.schemes %}
<h3>Schemes against {{ mark.facts.name }}</h3>
<div class="scroll" tabindex="0"><table><thead><tr><th>scheme</th><th>goal</th><th>what is done</th><th>{{
"detected at " }}
{{ mark.level | rate }}</th><th>bit accuracy</th><th>dB</th><th>skipped</th></tr></thead><tbody>
{% for cell in mark.schemes %}<tr><td>{{ cell.attack }}</td><td>{{ cell.family }}</td><td>{{ schemes[cell.attack]
}}</td>
<td class="num">{{ (cell.detected[mark.level | ratename] | share) if mark.level else "undecidable" }}</td>
<td>{{ iv(cell.accuracy) }}</td><td class="num">{{ cell.attack_db | decibel }}</td>
<td>{{ cell.failed + cell.skipped }}</td></tr>{% endfor %}</tbody></table></div>
{% endfor %}
<p class="soft">Removal counts clips that were detected before. Attacks that change a clip's size or length have no
quality
here{% set unmeasured = figures | unmeasured %}{% if unmeasured %}: {{ unmeasured | join(", ") }}{% endif %}.</p>

{% if figures.comparisons %}
<h2 id="compare">Marks compared on the same trials</h2>
<p>Same clips, same random attacks, same messages where marks have as many bits. Detection at {{ figures.common_level
| rate
}}, which all of them can decide.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th>marks</th><th>attacks</th><th>bit accuracy,
difference</th><th></th>
<th>adjusted p</th><th>detected, difference</th><th></th><th>adjusted p</th><th>trials, files</th></tr></thead><tbody>
{% for one in figures.comparisons %}<tr><td>{{ one.mark }} less {{ one.other }}</td><td>{{ one.family }}</td>
<td>{{ iv(one.accuracy, "{:+.3f}") }}</td><td>{{ one.accuracy | gapbar }}</td><td class="num">{{ one.accuracy_q | p
}}</td>
<td>{{ iv(one.detected, "{:+.2f}") }}</td><td>{{ one.detected | gapbar }}</td><td class="num">{{ one.detected_q | p
}}</td>
<td class="num">{{ one.trials }}, {{ one.clusters }}</td></tr>{% endfor %}</tbody></table></div>
<p class="soft">Exact sign flips over files: with {{ figures.clusters }} of them no p can fall below {{ "%.2g" |
format(2 /
2 ** [figures.clusters, 40] | min) }}.</p>
{% endif %}

<h2 id="groups">On which clips it is weaker</h2>
{% if gaps %}
<div class="scroll" tabindex="0"><table><thead><tr><th>mark</th><th>clips</th><th>bit accuracy after attacks</th>
<th>difference</th><th></th><th>adjusted p</th><th>files</th></tr></thead><tbody>
{% for gap in gaps %}<tr><td>{{ gap.mark }}</td><td>{{ gap.group }} less {{ gap.other }}{% if gap.cut is not none %}
<small>{{ gap.feature }} above {{ "%.3g" | format(gap.cut) }}</small>{% endif %}</td>
<td class="num">{{ "%.3f" | format(gap.group_accuracy) }} and {{ "%.3f" | format(gap.other_accuracy) }}</td>
<td>{{ iv(gap.difference, "{:+.3f}") }}</td><td>{{ gap.difference | gapbar(0.2) }}</td>
<td class="num {{ "bad" if gap.q is not none and gap.q < plan.false_discovery else "" }}">{{ gap.q | p }}</td>
<td class="num">{{ gap.clusters[0] }} and {{ gap.clusters[1] }}</td></tr>{% endfor %}</tbody></table></div>
<p class="soft">Luminance, motion and detail are computed from the clips and cut at their median; tags come from the
table
beside them. Permutation tests over files, one false discovery rate over all rows.</p>
{% endif %}
{% for reason in gapless %}<p class="none">{{ reason }}</p>{% endfor %}

<h2 id="ledger">Not measured</h2>
{% if figures.losses %}
<div class="scroll" tabindex="0"><table><thead><tr><th>mark</th><th>trials</th><th>attack</th><th>outcome</th>
<th>count</th><th>why</th></tr></thead><tbody>
{% for loss in figures.losses %}<tr><td>{{ loss.mark }}</td><td>{{ loss.kind }}</td><td>{{ loss.attack }}</td>
<td class="{{ "bad" if loss.status == "failed" else "half" }}">{{ loss.status }}</td><td class="num">{{ loss.count
}}</td>
<td>{{ loss.reason }}</td></tr>{% endfor %}</tbody></table></div>
{% else %}<p>Nothing: every trial of the plan gave a number.</p>{% endif %}

<h2 id="limits">Limits, and what must not be concluded</h2>
<ul>{% for line in limits %}<li>{{ line }}</li>{% endfor %}</ul>

<h2 id="again">Run it again</h2>
<pre>{{ about.rerun }}</pre>
<p>The same command with the same clips gives the same plan, the same messages and the same attacks; an audit that was
stopped goes on where it was.</p>
<dl class="wide">{% for name, what in files.items() %}<dt><code>{{ name }}</code></dt><dd>{{ what }}</dd>{% endfor
%}</dl>
<p class="soft">Code {{ about.code }}; {% for name, version in about.packages.items() %}{{ name }} {{ version }}{{
", " if
not loop.last }}{% endfor %}. The last attempt took {{ "%.0f" | format(about.seconds) }} s.</p>
</body>
</html>
"""
