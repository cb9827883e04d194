"""The page of a bias report, as a Jinja2 template: page.py fills it in."""

PAGE = """{% macro est(found, digits=2) %}
{% if found.value is none %}<span class="none">{{ found.status }}: {{ found.reason }}</span>
{% else %}<span class="num">{{ found | estimate(digits) }}</span>{% endif %}
{% endmacro %}
{% macro absent(reasons) %}
{% if reasons | length > 3 %}<details><summary>Figures that there are none of, and why</summary>
{% for reason in reasons %}<p class="none">{{ reason }}</p>{% endfor %}</details>
{% else %}{% for reason in reasons %}<p class="none">{{ reason }}</p>{% endfor %}{% endif %}
{% endmacro %}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Bias audit: {{ facts.generator }}</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #5c6670; --line: #dde2e8; --mark: #0b62c4;
  --plain: #7d8894; --card: #f6f8fa; --span: #e6edf5; --target: #b35900; --warn: #fff6e0; --warnline: #d9a300;
  --told: #3f7fbf; --unknown: #9fbfdd; --nobody: #e2b45c; --failed: #c8553d; --missing: #b9b4ac; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa4af; --line: #30363d;
  --mark: #6cb0ff; --plain: #8b949e; --card: #161b22; --span: #1c2836; --target: #f0a04b; --warn: #2a2312;
  --warnline: #a67c00; --told: #4c8fd0; --unknown: #2f4c69; --nobody: #a07a2c;
  --failed: #b5503b; --missing: #5b5b5b; } }
* { box-sizing: border-box; }
body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1060px;
  margin: 0 auto; padding: 2.2rem 1.4rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; } h2 { font-size: 1.22rem; margin: 2.8rem 0 .5rem; padding-top: .9rem;
  border-top: 1px solid var(--line); } h3 { font-size: 1.02rem; margin: 1.7rem 0 .3rem; }
p { margin: .45rem 0; max-width: 46rem; } ul, ol { max-width: 46rem; padding-left: 1.3rem; } li { margin: .25rem 0; }
.soft, small { color: var(--soft); } .none { color: var(--soft); font-style: italic; }
.num { white-space: nowrap; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; } .scroll:focus { outline: 2px solid var(--mark); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0; font-size: .93rem; }
th, td { text-align: left; padding: .28rem .9rem .28rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
tbody tr:last-child td { border-bottom: none; }
code, pre { font: .9em/1.5 ui-monospace, monospace; } pre { background: var(--card); padding: .7rem .9rem;
  border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
.caution { background: var(--warn); border-left: 4px solid var(--warnline); border-radius: 4px;
  padding: .5rem .9rem; margin: 1.1rem 0; } .caution p { margin: .2rem 0; max-width: none; }
.brief { background: var(--card); border-radius: 8px; padding: .7rem 1.1rem; margin: 1.1rem 0; }
.brief li { margin: .35rem 0; } .brief ul { max-width: none; }
nav { font-size: .93rem; margin: .9rem 0 0; } nav a { margin-right: .9rem; white-space: nowrap; }
a { color: var(--mark); text-decoration: none; } a:hover { text-decoration: underline; }
svg { max-width: 100%; height: auto; display: block; margin: .5rem 0; }
svg text { fill: var(--ink); font-size: 13px; } svg .name { text-anchor: end; } svg .axis { text-anchor: middle;
  fill: var(--soft); font-size: 12px; } svg .value { font-size: 12px; font-variant-numeric: tabular-nums; }
svg .note { fill: var(--soft); font-style: italic; }
svg .grid { stroke: var(--line); } svg .zero { stroke: var(--soft); } svg .span { fill: var(--span); }
svg .bar { fill: none; stroke-width: 2; } svg .main .bar { stroke: var(--mark); } svg .main .dot { fill: var(--mark); }
svg .plain .bar { stroke: var(--plain); } svg .plain .dot { fill: var(--paper); stroke: var(--plain); stroke-width: 2; }
svg .plain .value { fill: var(--soft); }
svg .target { stroke: var(--target); stroke-width: 1.5; stroke-dasharray: 3 3; } svg .declared { fill: var(--target); }
.part.told, .key.told { fill: var(--told); background: var(--told); }
.part.unknown, .key.unknown { fill: var(--unknown); background: var(--unknown); }
.part.nobody, .key.nobody { fill: var(--nobody); background: var(--nobody); }
.part.failed, .key.failed { fill: var(--failed); background: var(--failed); }
.part.missing, .key.missing { fill: var(--missing); background: var(--missing); }
.legend { color: var(--soft); font-size: .88rem; max-width: none; } .legend span
{ margin-right: 1rem; white-space: nowrap; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .35em; }
.key.dotmain { border-radius: 50%; background: var(--mark); } .key.dotplain { border-radius: 50%;
  border: 2px solid var(--plain); } .key.even { border-left: 2px dashed var(--target); border-radius: 0; width: 2px; }
.key.declared { background: var(--target); transform: rotate(45deg) scale(.8); border-radius: 0; }
.key.span { background: var(--span); }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--mark); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.1rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { max-width: none; } details > * { display: block; } }
</style>
</head>
<body>
<h1>Bias audit of {{ facts.generator }}</h1>
<p class="soft">Suite {{ facts.suite }} version {{ facts.suite_version }} · {{ system.scope.clips }} clips of
{{ system.scope.prompts }} prompts · {{ facts.created }}{{ " · bracket: " ~ facts.bracket if facts.bracket }}</p>
<nav aria-label="Sections">
<a href="#scope">Scope</a> <a href="#reader">How people were read</a> <a href="#ledger">Not measured</a>
<a href="#shown">Who is shown</a> <a href="#prompts-lean">Inside prompts</a>
{% if plan.mixture %}<a href="#mixture">Training mixture</a>{% endif %}
<a href="#stated">As stated</a> <a href="#served">Who is served worse</a> <a href="#together">Combinations</a>
<a href="#time">Over time</a> <a href="#power">What could be seen</a> <a href="#limits">Limits</a>
<a href="#again">Run it again</a>
</nav>
{% if facts.cautions %}
<div class="caution" role="note">{% for caution in facts.cautions %}<p>{{ caution }}</p>{% endfor %}</div>
{% endif %}
<div class="brief">
<strong>In short</strong>
<ul>{% for line in findings %}<li>{{ line }}</li>{% endfor %}</ul>
<p class="soft">Intervals hold at {{ "%.0f" | format(100 * plan.confidence) }}%,
for all groups of an attribute together.
Read the <a href="#limits">limits</a> before you quote any of this.</p>
</div>

<h2 id="scope">Scope, and the questions fixed beforehand</h2>
<p>The unit is the clip, clustered by prompt: {{ system.scope.neutral_prompts }} neutral prompts over
{{ system.scope.roles }} roles, which say nothing of who somebody is; {{ system.scope.counterfactual_sets }} sets of
prompts that differ in one stated attribute alone and share their seeds. {{ system.scope.people }} people were seen in
{{ facts.looked_at }} clips ({{ facts.faces }} faces in all frames that were looked at).</p>
<ol>{% for question in plan.questions %}<li>{{ question }}</li>{% endfor %}</ol>
<p>A share may be off its target by {{ "%.0f" | format(100 * plan.share_margin) }} points before it counts as different
for a claim of parity; services by {% for name, margin in plan.service_margins.items() %}{{ name }} {{ margin }}{{ ", "
if not loop.last }}{% endfor %}. All p are adjusted together, false discovery rate {{ plan.false_discovery }}
({{ "Benjamini–Hochberg" if plan.procedure == "bh" else "Benjamini–Yekutieli" }}).
A claim about shares needs {{ plan.minimum_clips }} clips of {{ plan.minimum_prompts }} prompts.</p>

<h2 id="reader">How people were read</h2>
<p>Face pack {{ facts.pack }}, weights <code>{{ facts.pack_sha256[:16] }}</code>. A reader that is not sure says
unknown: {% for name, value in facts.thresholds.items() %}{{ name | replace("_", " ") }} {{ value if value is string or
value is number else value | join(" and ") }}{{ ", " if not loop.last }}{% endfor %}.
Its errors: {{ facts.reader }}.</p>
{% for part in shown(system.axes) %}
<h3>{{ part.title | upfirst }}</h3>
{% if part.reader.source %}
<p class="soft">Confusion against {{ "labels of people on these clips" if part.reader.source == "annotators" else
"the reader's card" }}: rows are true, columns are what the reader says. {{ part.reader.note | upfirst }}</p>
{% for confusion in part.reader.confusions %}
<div class="scroll" tabindex="0"><table>
<thead><tr><th>true {{ confusion.stratum }}</th><th>labels</th>{% for name in confusion.said %}<th>{{ name }}</th>
{% endfor %}<th>right</th></tr></thead>
<tbody>{% for group in confusion.groups %}
<tr><td>{{ group.group }}</td><td>{{ "%.0f" | format(group.labels) }}</td>
{% for share in group.said %}<td>{{ "%.0f%%" | format(100 * share) }}</td>{% endfor %}
<td>{{ group.right | share }}</td></tr>
{% endfor %}</tbody></table></div>
{% endfor %}
{% else %}<p class="none">No correction: {{ part.reader.note }}</p>{% endif %}
{% endfor %}
{{ absent(reasons(system.axes)) }}
{% if facts.right_by_tone %}
<h3>The reader by skin tone</h3>
<p class="soft">Share of people read as they are, among those of each true skin tone, on the card's clips. Where they
differ, the reader itself is unequal: a gap between groups of another tone may be its own.</p>
<div class="scroll" tabindex="0"><table>
<thead><tr><th>true skin tone</th>
{% for axis in facts.right_by_tone %}<th>{{ axis | replace("_", " ") }}</th>{% endfor %}</tr></thead>
<tbody>{% for tone in ("light", "medium", "dark") %}
<tr><td>{{ tone }}</td>{% for known in facts.right_by_tone.values() %}<td>{% if tone in known %}
{{ "%.0f%% of %d" | format(100 * known[tone][0], known[tone][1]) }}{% else %}–{% endif %}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% endif %}
{% if facts.pack_card.get("figures") or facts.pack_card.get("what") %}
<details><summary>What the pack's own card says</summary><pre>{{ facts.pack_card | tojson(indent=1) }}</pre></details>
{% endif %}

<h2 id="ledger">What could not be measured</h2>
<p>Every clip that was asked for is in one of these bars. If those that could not be told are not like the others, every
share below is off; the pale bands in the plots of shares reach as far as they could be (Manski's bounds, which assume
nothing).</p>
<p class="legend"><span><i class="key told"></i>could be told</span><span><i class="key unknown">
</i>visible, unknown</span>
<span><i class="key nobody"></i>no visible person</span><span><i class="key failed"></i>failed</span>
<span><i class="key missing"></i>missing</span></p>
{% for part in shown(system.axes) %}
<h3>{{ part.title | upfirst }}</h3>
{{ plots.ledger_plot([part.ledger.all] + (part.ledger.by_stated | list)) }}
<details><summary>By role, and worst-case bounds</summary>
{{ plots.ledger_plot(part.ledger.by_role) }}
<div class="scroll" tabindex="0"><table>
<thead><tr><th>group</th><th>of those told</th><th>none of the others</th><th>all of the others</th>
<th>with sampling error</th></tr></thead>
<tbody>{% for bound in part.ledger.bounds %}
<tr><td>{{ bound.group }}</td><td>{{ "–" if bound.told is none else "%.0f%%" | format(100 * bound.told) }}</td>
<td>{{ "%.0f%%" | format(100 * bound.lowest) }}</td><td>{{ "%.0f%%" | format(100 * bound.highest) }}</td>
<td>{{ "%.0f to %.0f%%" | format(100 * bound.low, 100 * bound.high) }}</td></tr>
{% endfor %}</tbody></table></div>
<p class="soft">Shares of all neutral clips asked for.{% if part.ledger.labelled_differs is not none %} Labelled clips
show the reader's labels like all others: p {{ part.ledger.labelled_differs | p }}.{% endif %}</p>
</details>
{% endfor %}
{% if system.scope.reasons %}
<ul>{% for reason, count in system.scope.reasons.items() %}<li>{{ count }}: {{ reason }}</li>{% endfor %}</ul>
{% endif %}

<h2 id="shown">Who is shown</h2>
<p class="legend"><span><i class="key dotplain"></i>as the reader says</span><span><i class="key dotmain"></i>with its
errors undone</span><span><i class="key even"></i>even</span>
{% if plan.mixture or plan.reference %}<span><i class="key declared"></i>declared: {{ [plan.reference, plan.mixture]
| select | map(attribute="name") | join(", ") }}</span>{% endif %}
<span><i class="key span"></i>worst-case bounds</span></p>
{% for part in shown(system.axes) %}
<h3>{{ part.title | upfirst }}</h3>
{{ plots.share_plot(part, plan) }}
{% if part.everybody.status != "measured" %}<p class="none">{{ part.everybody.status }}: {{ part.everybody.reason }}</p>
{% else %}
<div class="scroll" tabindex="0"><table>
<thead><tr><th>method</th>{% for group in part.groups %}<th>{{ group }}</th>{% endfor %}<th></th></tr></thead>
<tbody>{% for way in part.everybody.ways + part.everybody.sensitivity %}
<tr><td>{{ way.method }}{{ " (headline)" if way.method == part.everybody.headline }}</td>
{% for group in part.groups %}<td class="num">{{ way.shares.get(group) | share }}</td>{% endfor %}
<td class="soft">{{ way.reason }}{{ "fails its certification: shown for comparison alone" if way.certified
is false and not way.reason }}</td></tr>
{% endfor %}</tbody></table></div>
{% for target in part.everybody.targets %}
<div class="scroll" tabindex="0"><table>
<thead><tr><th>against {{ target.target }}</th><th>target</th><th>difference</th><th>ratio</th><th>p</th><th>adjusted p
</th><th>may one claim parity?</th></tr></thead>
<tbody>{% for group in part.groups %}
{% set gap = target.differences[group] %}
<tr><td>{{ group }}</td><td>{{ "%.0f%%" | format(100 * target.declared[group]) }}</td>
<td>{{ est(gap) }}</td><td>{{ est(target.ratios[group]) }}</td><td>{{ gap.p | p }}</td><td>{{ gap.q | p }}</td>
<td>{% for claim in target.claims if claim.group == group %}{{ claim.verdict }}{% endfor %}</td></tr>
{% endfor %}</tbody></table></div>
<p class="soft">Effect size, Cohen's w: {{ est(target.effect) }}{% if target.effect.q is not none %}, adjusted p of
“all shares are on target” {{ target.effect.q | p }}{% endif %}</p>
{% endfor %}
{% endif %}
{% if part.roles | selectattr("status", "equalto", "measured") | list %}
<details open><summary>By role: {{ part.groups[-1] }}</summary>
{{ plots.role_plot(part, plan, part.groups[-1]) }}</details>
{% for group in part.groups[:-1] if part.groups | length > 2 %}
<details><summary>By role: {{ group }}</summary>{{ plots.role_plot(part, plan, group) }}</details>
{% endfor %}
{% elif part.roles %}<p class="none">By role: no role has enough clips for a claim of its own
({{ part.roles[0].reason }}).</p>
{% endif %}
{% endfor %}
{{ absent(reasons(system.axes)) }}

<h2 id="prompts-lean">Inside prompts, where it may cancel</h2>
<p>Nurses and builders may lean opposite ways, so that all clips together look even. 0: every prompt (or role) is even;
1: every one shows one group only. Chance is taken out, so that estimates may lie below 0.</p>
<div class="scroll" tabindex="0"><table>
<thead><tr><th>attribute</th><th>over all clips</th><th>inside prompts</th><th>between prompts</th>
<th>between roles</th>
<th>diversity</th></tr></thead>
<tbody>{% for part in shown(system.axes) %}
<tr><td>{{ part.title | upfirst }}</td>{% for found in (part.skews.pooled, part.skews.prompt,
part.skews.prompt_spread,
part.skews.role_spread, part.skews.diversity) %}<td>{{ est(found) }}{% if found.q is not none %}<br><small>adjusted p
{{ found.q | p }}</small>{% endif %}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>

{% if plan.mixture %}
<h2 id="mixture">Against the training mixture</h2>
<p>{{ plan.mixture.name | upfirst }} is skewed by role, and that is declared. The factor says what became of it:
1 handed on as it was, above 1 amplified, below 1 damped, 0 no trace.</p>
{% if shown(system.amplification) %}{{ plots.amplification_plot(shown(system.amplification)) }}{% endif %}
{% for lean in shown(system.amplification) %}
<h3>{{ lean.axis | title | upfirst }}: {{ lean | lean }}</h3>
<p>Factor {{ est(lean.factor) }}; p of “handed on as it was” {{ lean.factor.p | p }}, adjusted {{ lean.factor.q | p }}.
<span class="soft">{{ lean.factor.caveat }}</span></p>
<details{{ " open" if loop.first }}><summary>By role: shown less declared share of the group that the mixture favours
</summary>
<div class="scroll" tabindex="0"><table><thead><tr><th>role</th><th>shown less declared</th><th>clips</th>
<th>adjusted p</th>
</tr></thead><tbody>
{% for role, found in lean.roles.items() %}<tr><td>{{ role }}</td><td>{{ est(found) }}</td><td>{{ found.clips }}</td>
<td>{{ found.q | p }}</td></tr>{% endfor %}</tbody></table></div></details>
{% endfor %}
{{ absent(reasons(system.amplification)) }}
{% endif %}

<h2 id="stated">Shown as the prompt states?</h2>
{% for part in shown(system.axes) %}
<h3>{{ part.title | upfirst }}</h3>
{% if part.followed | missing %}<p class="none">{{ part.followed.reason }}</p>{% else %}
<div class="scroll" tabindex="0"><table><thead><tr><th>stated</th><th>shown so, of visible people who could be told</th>
<th>clips</th></tr></thead><tbody>
{% for group, found in part.followed.shown.items() %}<tr><td>{{ group }}</td><td>{{ found | share }}</td>
<td>{{ found.clips }}</td></tr>{% endfor %}
{% for gap in part.followed.gaps %}<tr><td>{{ gap.group }} less {{ gap.other }}</td><td>{{ est(gap.estimate) }},
adjusted p {{ gap.estimate.q | p }}</td><td>{{ gap.estimate.clips }}</td></tr>{% endfor %}
</tbody></table></div>
{% endif %}
{% endfor %}

<h2 id="served">Is somebody served worse?</h2>
<p>Prompts of a pair differ in the stated attribute alone and share their seeds, so that place, light and difficulty
cancel; what is stated is known exactly, whatever the reader makes of it. Dashed lines are the margins fixed
beforehand. A gap that is not shown is no parity: parity is claimed only where an equivalence test says so.</p>
{% for part in shown(system.services) if part.parity.service in served %}
<h3>{{ part.parity.service | service | upfirst }}, by stated {{ part.parity.axis | title }}</h3>
{{ plots.service_plot(part) }}
<p class="soft">{% for group, mean in part.parity.means.items() %}{{ group }} {{ "%.3f" | format(mean) }}{{ ", " if not
loop.last }}{% endfor %} over {{ part.parity.pairs }} comparisons in {{ part.parity.sets }} sets{{ ", %d lost to missing
values" | format(part.parity.lost) if part.parity.lost }}; smallest gap that would have been seen
{{ "%.3f" | format(part.detectable) }}.
{% for gap in part.parity.gaps %}{% if gap.estimate.q is not none %}Adjusted p {{ gap.group }} less {{ gap.other }}:
{{ gap.estimate.q | p }}. {% endif %}{% endfor %}
{% for pair, claim in part.claims.items() %}{{ pair | upfirst }}: {{ claim.verdict }}. {% endfor %}</p>
{% endfor %}
{% if shown(system.services) %}
<details><summary>What else was compared</summary>
<div class="scroll" tabindex="0"><table><thead><tr><th>of</th><th>stated</th><th>groups</th><th>difference</th>
<th>adjusted p</th></tr></thead><tbody>
{% for part in shown(system.services) if part.parity.service not in served %}{% for gap in part.parity.gaps %}
<tr><td>{{ part.parity.service | service }}</td><td>{{ part.parity.axis | replace("_", " ") }}</td>
<td>{{ gap.group }} less
{{ gap.other }}</td><td>{{ est(gap.estimate, 3) }}</td><td>{{ gap.estimate.q | p }}</td></tr>
{% endfor %}{% endfor %}</tbody></table></div></details>
{% endif %}
{{ absent(reasons(system.services)) }}

<h2 id="together">Combinations</h2>
<p>Is a combination shown more or less often than its parts would have it? Small cells are suppressed,
and deviations are
also shrunk towards 0, for the largest of many is mostly noise.</p>
{% for pair in shown(system.intersections) %}
<div class="scroll" tabindex="0"><table>
<thead><tr><th>combination</th><th>clips</th><th>share</th><th>deviation</th>
<th>shrunk</th><th>adjusted p</th></tr></thead>
<tbody>{% for cell in pair.cells %}
<tr><td>{{ cell.groups | join(", ") }}</td><td>{{ "%.0f" | format(cell.clips) }}</td>
{% if cell.suppressed %}<td colspan="4" class="none">suppressed: {{ cell.suppressed }}</td>{% else %}
<td class="num">{{ cell.share | share }}</td><td>{{ est(cell.deviation) }}</td><td>{{ est(cell.shrunk) }}</td>
<td>{{ cell.deviation.q | p }}</td>{% endif %}</tr>
{% endfor %}</tbody></table></div>
{% endfor %}
{{ absent(reasons(system.intersections)) }}

<h2 id="time">Over time</h2>
<p>What goes together with how somebody is shown: how steadily, for how long, how near. Descriptions, and no evidence of
how a group is served.</p>
{% if shown(system.shown_means) %}
<div class="scroll" tabindex="0"><table><thead><tr><th>attribute</th><th>of</th><th>by group as shown</th><th>largest
difference</th></tr></thead><tbody>
{% for part in shown(system.shown_means) %}
<tr><td>{{ part.axis | replace("_", " ") }}</td><td>{{ part.column | service }}</td><td>{% for group, found in
part.means.items() %}{{ group }} {{ est(found) }}{{ "; " if not loop.last }}{% endfor %}</td>
<td>{% set gap = part.gaps | sort(attribute="estimate.p") | first %}{{ gap.group }} less {{ gap.other }}
{{ est(gap.estimate) }}</td></tr>
{% endfor %}</tbody></table></div>
{% endif %}
{{ absent(reasons(system.shown_means)) }}

<h2 id="power">What this audit could have seen</h2>
<p>The smallest difference of a share from an even split that so many clips find in
{{ "%.0f" | format(100 * plan.power) }}%
of audits. An audit that finds nothing has shown nothing below it, and ranks nothing below it.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th>attribute</th><th>group</th><th>smallest difference</th>
<th>clips</th>
<th>prompts</th><th>design effect</th></tr></thead><tbody>
{% for part in shown(system.axes) %}{% for card in part.power.shares %}
<tr><td>{{ part.title | upfirst if loop.first }}</td><td>{{ card.about }}</td><td>{{ "%.0f points" |
format(100 * card.difference) }}</td><td>{{ card.clips }}</td><td>{{ card.prompts }}</td>
<td>{{ "%.2f" | format(card.design_effect) }}</td></tr>
{% endfor %}{% if part.power.reason %}<tr><td>{{ part.title | upfirst }}</td><td colspan="5" class="none">
{{ part.power.reason }}</td></tr>{% endif %}{% endfor %}</tbody></table></div>
{% for ranking in report.rankings if ranking.refused and report.systems | length > 1 %}
{% if loop.first %}<p class="soft">No ranking:
{{ ranking.refused }}.</p>{% endif %}{% endfor %}

<h2 id="certified">Are the figures any good?</h2>
{% if report.certification %}
<p>Every figure was tried on {{ report.certification.checks | map(attribute="world") | unique | list | length }}
worlds whose bias is known ({{ report.certification.repetitions }} audits of every world): false positives at their
level, estimates that rise with the truth, intervals that contain it.
Listed: {{ report.certification.listed | join(", ") }}.
Figures that fail are withheld, or shown for comparison alone.</p>
<details><summary>The whole table</summary><div class="scroll" tabindex="0"><table><thead><tr><th>figure</th>
<th>check</th>
<th>world</th><th>found</th><th>wanted</th><th></th></tr></thead><tbody>
{% for check in report.certification.checks %}<tr><td>{{ check.figure }}: {{ check.probe }}</td>
<td>{{ check.kind }}</td>
<td>{{ check.world }}</td><td class="num">{{ "%.3f [%.3f, %.3f]" | format(check.value, check.low, check.high) }}</td>
<td>{{ check.wanted }}</td><td>{{ "passed" if check.passed else "failed" }}</td></tr>
{% endfor %}</tbody></table></div></details>
{% else %}<p class="none">No certification lies beside this version: run moviegen audit bias --certify.</p>{% endif %}

<h2 id="limits">Limits, and what must not be concluded</h2>
<ul>{% for line in report.must_not %}<li>{{ line }}</li>{% endfor %}</ul>
<ul>{% for line in limits %}<li>{{ line }}</li>{% endfor %}</ul>

<h2 id="again">Prompts, hashes, and how to run it again</h2>
<pre>{{ facts.rerun }}</pre>
<dl>
<dt>run</dt><dd>{{ facts.run }}, swept {{ facts.swept }}</dd>
<dt>generator</dt><dd>{{ facts.generator }}, version {{ facts.version }}</dd>
<dt>suite</dt><dd><code>{{ facts.suite_hash }}</code></dd>
<dt>plan</dt><dd><code>{{ report.plan_sha256 }}</code></dd>
<dt>table</dt><dd><code>{{ report.table_sha256 }}</code></dd>
<dt>clips</dt><dd><code>{{ facts.clips_sha256 }}</code> <span class="soft">(of their sorted SHA-256s)</span></dd>
<dt>face pack</dt><dd><code>{{ facts.pack_sha256 }}</code></dd>
<dt>metrics</dt><dd>{% for name, metric in facts.sources.items() %}{{ name }}: {{ metric }}{{ ", " if not loop.last }}
{% endfor %}</dd>
<dt>code</dt><dd>{{ facts.code }}</dd>
</dl>
<details><summary>Files beside this page</summary><dl>{% for name, about in files.items() %}<dt>{{ name }}</dt>
<dd>{{ about }}</dd>{% endfor %}</dl></details>
<details><summary>All {{ facts.prompts | length }} prompts and their seeds</summary>
<div class="scroll" tabindex="0"><table><thead><tr><th>id</th><th>set</th><th>prompt</th><th>seeds</th></tr></thead>
<tbody>
{% for prompt in facts.prompts %}<tr><td>{{ prompt.id }}</td><td>{{ prompt.kind }}</td><td>{{ prompt.prompt }}</td>
<td>{{ prompt.seeds | join(", ") }}</td></tr>{% endfor %}</tbody></table></div></details>
{% if view %}
<details><summary>In the form of New York City's Local Law 144: a view, no finding</summary>
<p>{{ view.label }}</p>
<div class="scroll" tabindex="0"><table><thead><tr><th>category</th><th>clips</th><th>rate above the median of
{{ view.service }}</th><th>ratio</th></tr></thead><tbody>
{% for one in view["views"] %}{% for row in one.categories %}<tr><td>{{ row.category }}</td>
<td>{{ "%.0f" | format(row.clips) }}</td><td>{{ "%.2f" | format(row.rate) }}</td>
<td>{{ "too few" if row.ratio is none else
"%.2f" | format(row.ratio) }}</td></tr>{% endfor %}
<tr><td class="soft">unknown</td><td>{{ "%.0f" | format(one.unknown) }}</td><td></td><td></td></tr>{% endfor %}
</tbody></table></div></details>
{% endif %}
</body>
</html>
"""
