"""The page of a deepfake report, as a Jinja2 template: page.py fills it in."""

PAGE = """{% macro control_rows(controls) %}
{% for control in controls %}
<tr><td>{{ control.name }}</td><td class="num">{% if control.auc is none %}<span class="none">{{ control.reason
}}</span>
{% else %}{{ control.auc | auc }}{% endif %}</td>
<td>{{ control.about }}{% if control.auc is not none %}
 <small>({{ control.auc.fakes }} and {{ control.auc.reals }} independent clips)</small>{% endif %}</td></tr>{% endfor %}
{% endmacro %}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Deepfake audit: {{ facts.name }}</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #5c6670; --line: #dde2e8; --mark: #0b62c4;
  --plain: #7d8894; --card: #f6f8fa; --span: #e6edf5; --target: #b35900; --warn: #fff6e0; --warnline: #d9a300;
  --bad: #b3261e; --good: #1a7f4b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa4af; --line: #30363d;
  --mark: #6cb0ff; --plain: #8b949e; --card: #161b22; --span: #1c2836; --target: #f0a04b; --warn: #2a2312;
  --warnline: #a67c00; --bad: #ff7b72; --good: #4cc38a; } }
* { box-sizing: border-box; }
body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1060px;
  margin: 0 auto; padding: 2.2rem 1.4rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.22rem; margin: 2.8rem 0 .5rem; padding-top: .9rem;
  border-top: 1px solid var(--line); } h3 { font-size: 1.02rem; margin: 1.7rem 0 .3rem; }
p { margin: .45rem 0; max-width: 46rem; } ul, ol { max-width: 46rem; padding-left: 1.3rem; } li { margin: .25rem 0; }
.soft, small { color: var(--soft); } .none { color: var(--soft); font-style: italic; }
.num { font-variant-numeric: tabular-nums; } td.num:not(:has(.none)) { white-space: nowrap; }
.scroll { overflow-x: auto; } .scroll:focus { outline: 2px solid var(--mark); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0; font-size: .93rem; }
th, td { text-align: left; padding: .28rem .9rem .28rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
tbody tr:last-child td { border-bottom: none; }
code, pre { font: .9em/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--card); padding: .7rem .9rem; border-radius: 6px; white-space: pre-wrap; }
.caution { background: var(--warn); border-left: 4px solid var(--warnline); border-radius: 4px;
  padding: .5rem .9rem; margin: 1.1rem 0; } .caution p { margin: .25rem 0; max-width: none; }
.brief { background: var(--card); border-radius: 8px; padding: .9rem 1.2rem; margin: 1.1rem 0;
  border-left: 5px solid var(--plain); } .brief.refused, .brief.too-few { border-color: var(--bad); }
.brief.separable { border-color: var(--mark); }
.brief .headline { font-size: 1.18rem; font-weight: 600; max-width: none; margin: 0 0 .4rem; }
nav { font-size: .93rem; margin: .9rem 0 0; } nav a { margin-right: .9rem; white-space: nowrap; }
a { color: var(--mark); text-decoration: none; } a:hover { text-decoration: underline; }
svg { max-width: 100%; height: auto; display: block; margin: .5rem 0; }
svg text { fill: var(--ink); font-size: 13px; } svg .name { text-anchor: end; } svg .axis { text-anchor: middle;
  fill: var(--soft); font-size: 12px; } svg .value { font-size: 12px; font-variant-numeric: tabular-nums; }
svg .up { text-anchor: end; fill: var(--soft); font-size: 12px; } svg .over { fill: var(--soft); font-size: 12px; }
svg .note { fill: var(--soft); font-style: italic; }
svg .grid { stroke: var(--line); } svg .zero { stroke: var(--soft); } svg .span { fill: var(--span); }
svg .bar { fill: none; stroke-width: 2; } svg .main .bar { stroke: var(--mark); } svg .main .dot { fill: var(--mark); }
svg .plain .bar { stroke: var(--plain); } svg .plain .dot { fill: var(--paper); stroke: var(--plain); stroke-width: 2; }
svg .plain .value { fill: var(--soft); }
svg .target { stroke: var(--target); stroke-width: 1.5; stroke-dasharray: 3 3; } svg .declared { fill: var(--target); }
svg .curve { fill: none; stroke: var(--mark); stroke-width: 2; } svg .band { fill: var(--span); }
svg > .dot { fill: var(--mark); }
.side > div { flex: 1 1 17rem; max-width: 30rem; }
.side { display: flex; flex-wrap: wrap; gap: 1.5rem 3rem; align-items: flex-start; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--mark); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.1rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 640px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } body { padding: 1.2rem
.9rem; }
  .plot svg { min-width: 700px; max-width: none; } }
@media print { body { max-width: none; } details > * { display: block; } }
</style>
</head>
<body>
<h1>Deepfake audit of {{ facts.name }}</h1>
<p class="soft">{{ audit.fakes | join(", ") }} against {{ audit.reals | join(", ") }} · {{ audit.created }}</p>
<nav aria-label="Sections">
<a href="#form">One form</a> <a href="#nuisances">Nuisances</a>
{% if audit.measured %}<a href="#traces">Traces</a> <a href="#decide">At a threshold</a>
<a href="#curve">Learning curve</a>{% endif %} <a href="#controls">Floors and ceilings</a>
{% if audit.left_out %}<a href="#leftout">Unseen generators</a>{% endif %}
{% if audit.marks %}<a href="#marks">Marks</a>{% endif %}
{% if detectors %}<a href="#detectors">Detectors</a>{% endif %}
<a href="#limits">Limits</a> <a href="#again">Run it again</a>
</nav>
<div class="brief {{ verdict.state | replace(" ", "-") }}">
<p class="headline">{{ verdict.headline }}</p>
<p>{{ verdict.meaning | capitalize }}.</p>
<ul>{% for line in verdict.reasons %}<li>{{ line }}</li>{% endfor %}</ul>
<p class="soft">Intervals hold at {{ "%.0f" | format(100 * audit.settings.confidence) }}%. Read the
<a href="#limits">limits</a> before you quote any of this.</p>
</div>
{% if verdict.cautions %}
<div class="caution" role="note">{% for caution in verdict.cautions %}<p>{{ caution }}</p>{% endfor %}</div>
{% endif %}

<h2 id="form">One form for both sets</h2>
<p>Every clip was cut to its middle square, shrunk to {{ audit.form.side }} x {{ audit.form.side }} pixels by area
averaging, thinned to {{ "%g" | format(audit.form.fps) }} frames per second, cut into windows of
{{ audit.form.frames }} frames ({{ "%.2f" | format(audit.form.seconds) }} s, at most 8 from one clip), and encoded
anew as H.264,
CRF {{ "%g" | format(audit.form.crf) }}, a key frame every {{ audit.form.gop }}.
{% if audit.form.rate_hz %}Sound is mono at {{ audit.form.rate_hz }} Hz, brought to one loudness, AAC.
{% else %}Sound was left out: too few clips have any, or it was asked for.{% endif %}</p>
<div class="scroll" tabindex="0"><table>
<thead><tr><th>set</th><th>side</th><th>clips</th><th>measured</th><th>windows</th><th>independent</th>
<th>not measured, and why</th></tr></thead>
<tbody>{% for count in audit.ledger %}
<tr><td>{{ count.set }}</td><td>{{ "generated" if count.side == "fake" else "real" }}</td><td>{{ count.clips }}</td>
<td>{{ count.measured }}</td><td>{{ count.windows }}</td><td>{{ count.groups }}</td>
<td>{% for reason, clips in count.reasons.items() %}{{ clips }}: {{ reason }}<br>{% else %}–{% endfor %}</td></tr>
{% endfor %}</tbody></table></div>
<p class="soft">Independent: files, or prompts where several clips answer one. Only these count as evidence.</p>

<h2 id="nuisances">What has nothing to do with generation</h2>
<p>A classifier that knows nothing but length, bit rate, size, frame rate, loudness and brightness, tries to tell
the sets apart. Above {{ gate }} after canonicalising there is no verdict: whatever a classifier of traces reaches
could be
theirs.</p>
{% if audit.after %}
<div class="scroll plot">{{ plots.nuisance_plot(audit) }}</div>
<div class="scroll" tabindex="0"><table>
<thead><tr><th></th><th>together</th><th>each by itself (AUC or 1 − AUC)</th></tr></thead>
<tbody>{% for title, found in [("before", audit.before), ("after", audit.after)] %}
<tr><td>{{ title }}</td><td class="num">{{ found.together | auc }}</td><td>{% for name, value in found.single.items() %}
{{ nuisance_title[name] }} {{ "%.2f" | format(value) }}{{ ", " if not loop.last }}{% endfor %}</td></tr>
{% endfor %}</tbody></table></div>
{% else %}<p class="none">Not measured: two independent clips of each side are needed.</p>{% endif %}

{% if audit.measured %}
{% set measured = audit.measured %}
<h2 id="traces">Traces</h2>
{% if verdict.state == "refused" %}<div class="caution"><p>Confounded: these figures are shown so that they can be
checked, and are no measure of separability.</p></div>{% endif %}
<p>Cross-fitted logistic regression: every clip is scored by classifiers that saw nothing of its file or prompt. AUC is
the chance that a generated clip scores above a real one; 0.5 is not told apart. p is from
{{ audit.settings.permutations }} permutations of whole groups; the smallest that can be reached is
{{ "%.2g" | format(1 / (audit.settings.permutations + 1)) }}. The verdict is about all blocks together; p of single
blocks
are not adjusted for there being several.</p>
<div class="scroll plot">{{ plots.block_plot(measured) }}</div>
<div class="scroll" tabindex="0"><table>
<thead><tr><th>block</th><th>what it measures</th></tr></thead>
<tbody>{% for name in measured.blocks if name != all_blocks %}
<tr><td>{{ name }}</td><td>{{ block_summary[name] }}</td></tr>{% endfor %}</tbody></table></div>
<details><summary>The numbers that weigh most</summary>
<p class="soft">Weights of standardised numbers in a classifier of all clips; positive: generated clips have more.
Numbers
that go together share their weight, so that a small one is not unimportant.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th>number</th><th>weight</th></tr></thead>
<tbody>{% for trace in measured.traces %}<tr><td><code>{{ trace.name }}</code></td>
<td class="num">{{ "%+.2f" | format(trace.weight) }}</td></tr>{% endfor %}</tbody></table></div></details>

<h2 id="decide">At a threshold</h2>
<div class="side">
<div>{{ plots.roc_plot(measured.roc) }}</div>
<div><table>
<tbody>
<tr><th>equal error rate</th><td class="num">{{ measured.operating.eer | figure }}</td></tr>
{% for rate, figure in measured.operating.tpr.items() %}
<tr><th>found at {{ "%g" | format(100 * rate) }} % false alarms</th><td class="num">{{ figure | figure }}</td></tr>
{% endfor %}
<tr><th>Brier score</th><td class="num">{{ measured.operating.brier | figure }}</td></tr>
<tr><th>calibration error</th><td class="num">{{ measured.operating.ece | figure }}</td></tr>
</tbody></table>
<p class="soft">Of out-of-fold scores, either side counted alike. Always saying one half has a Brier score of
0.25.</p></div>
</div>

{% if measured.curve | length > 1 %}
<h2 id="curve">Learning curve</h2>
<div class="side"><div>{{ plots.curve_plot(measured.curve) }}</div>
<div><p>The AUC that is reached with so many independent clips of each side to learn from; the band holds the middle
80 %
over draws. {% if measured.curve[-1].auc > measured.curve[-2].auc + 0.02 %}It is still rising: more clips would tell
them
apart better.{% else %}It has levelled off.{% endif %}</p></div></div>
{% endif %}
{% endif %}

<h2 id="controls">Floors and ceilings</h2>
<p>What the question's AUC is to be held against: what two sources of real clips differ by, what a generator differs
from
itself by, and whether faults that are known to be there are found.</p>
<div class="scroll plot">{{ plots.control_plot(audit.floors + audit.ceilings, audit.all_blocks) }}</div>
<div class="scroll" tabindex="0"><table>
<thead><tr><th>comparison</th><th>AUC</th><th>what it is</th></tr></thead>
<tbody>{{ control_rows(audit.floors + audit.ceilings) }}</tbody></table></div>
{% if audit.margin %}<p>Margin over the real floor: {{ "%+.2f" | format(audit.margin.value) }}
[{{ "%+.2f" | format(audit.margin.low) }}, {{ "%+.2f" | format(audit.margin.high) }}].</p>{% endif %}

{% if audit.left_out %}
<h2 id="leftout">Unseen generators</h2>
<p>Each generator against the real clips, by classifiers that learnt from the others only.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th>left out</th><th>AUC</th><th>what it is</th></tr></thead>
<tbody>{{ control_rows(audit.left_out) }}</tbody></table></div>
{% endif %}

{% if audit.marks %}
<h2 id="marks">Marks</h2>
<p>Does a mark give generated clips away, and do marks on both sides undo that? Every clip carries a message of its own,
embedded before canonicalising.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th>mark</th><th>AUC</th><th>what it is</th></tr></thead>
<tbody>{{ control_rows(audit.marks) }}</tbody></table></div>
{% endif %}

{% if detectors %}
<h2 id="detectors">Detectors under attack</h2>
<p>Each detector saw one window of each clip in the common form. Its threshold was set once, where misses and false
alarms
are equally frequent on clean clips, and stayed there. Shifts are paired: the same clips before and after.</p>
{% for result in detectors %}
<h3>{{ result.name }}</h3>
<p class="soft">SHA-256 <code>{{ result.sha256[:16] }}</code> · {{ result.fakes }} generated and {{ result.reals }}
real clips
{% if result.threshold is not none %}· threshold {{ "%.3g" | format(result.threshold) }}{% endif %}</p>
{% if result.reason %}<p class="none">Not measured: {{ result.reason }}</p>{% else %}
<div class="scroll" tabindex="0"><table>
<thead><tr><th>attack</th><th>AUC</th><th>found</th><th>shift</th><th>false alarms</th><th>shift</th>
<th>calibration error</th><th>Brier</th></tr></thead>
<tbody>{% for rung in result.rungs %}
<tr><td>{% if rung.attack %}{{ rung.attack }} {{ "%g" | format(rung.strength) }} {{ rung.unit }}{% else %}clean{%
endif %}
{% for reason, count in rung.reasons.items() %}<br><small>{{ count }}: {{ reason }}</small>{% endfor %}</td>
<td class="num">{% if rung.auc %}{{ rung.auc | auc }}{% else %}–{% endif %}</td>
<td class="num">{{ rung.tpr | figure }}</td><td class="num">{{ rung.tpr_shift | shift if rung.attack else "" }}</td>
<td class="num">{{ rung.fpr | figure }}</td><td class="num">{{ rung.fpr_shift | shift if rung.attack else "" }}</td>
<td class="num">{% if rung.ece is not none %}{{ "%.3f" | format(rung.ece) }}{% endif %}</td>
<td class="num">{% if rung.brier is not none %}{{ "%.3f" | format(rung.brier) }}{% endif %}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
{% endfor %}
{% endif %}

<h2 id="limits">Limits</h2>
<ul>{% for line in limits %}<li>{{ line }}</li>{% endfor %}</ul>

<h2 id="again">Run it again</h2>
<pre>{{ facts.rerun }}</pre>
<dl>
{% for name, source in facts.sources.items() %}<dt>{{ name }}</dt><dd>{{ source }}</dd>{% endfor %}
{% if facts.suite %}<dt>suite</dt><dd>{{ facts.suite }}</dd>{% endif %}
{% if facts.run %}<dt>run</dt><dd>{{ facts.run }}</dd>{% endif %}
<dt>seed</dt><dd>{{ audit.settings.seed }} (folds, permutations, draws)</dd>
<dt>code</dt><dd>{{ facts.code }}</dd>
<dt>packages</dt><dd>{% for name, version in facts.packages.items() %}{{ name }} {{ version }}{{ ", " if not loop.last
}}
{% endfor %}</dd>
{% for name, what in files.items() %}<dt>{{ name }}</dt><dd>{{ what }}</dd>{% endfor %}
</dl>
</body>
</html>
"""
