#include "nn/report/html.hpp"

namespace xgrad::nn::detail {

// The colours of lines are those of Okabe and Ito, which colour-blind readers tell apart, a little lighter in the dark.
std::string_view page_style() {
  return R"css(
:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#1c2330;--soft:#5a6474;--line:#dde1e8;--grid:#e8ebf0;
--k0:#0072b2;--k1:#d55e00;--k2:#009e73;--k3:#b4568f;--k4:#b07c00;--k5:#2e8fc4;--band:#009e7318;--bad:#c02030;
--heat:0,114,178;--miss:213,94,0}
@media(prefers-color-scheme:dark){:root{--paper:#12151b;--card:#1b1f27;--ink:#e6e9ef;--soft:#9aa4b4;--line:#333a46;
--grid:#2a303a;--k0:#5db3ec;--k1:#ff8a47;--k2:#3ccca0;--k3:#e08bc0;--k4:#e8b23a;--k5:#8fd0f5;--band:#3ccca01c;
--bad:#ff7685;--heat:93,179,236;--miss:255,138,71}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Liberation Sans",sans-serif}
header,main,footer{max-width:1120px;margin:0 auto;padding:0 20px}
header{padding-top:26px}
h1{font-size:25px;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:19px;margin:0 0 14px}
h3{font-size:15px;margin:20px 0 8px}
p{margin:8px 0;max-width:75ch}
a{color:var(--k0)}
.state{display:inline-block;font-size:13px;font-weight:600;border-radius:99px;padding:1px 11px;margin:8px 8px 0 0;
border:1px solid var(--line);background:var(--card)}
.state.runs{color:var(--k0)}.state.done{color:var(--k2)}.state.ended{color:var(--k1)}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:14px;margin:14px 0 18px}
nav a{text-decoration:none}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:20px;margin:0 0 18px}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,150px),1fr));gap:12px;margin:0 0 16px}
.tile{border:1px solid var(--line);border-radius:8px;padding:10px 13px}
.tile b{display:block;font-size:21px;line-height:1.25;font-weight:650;overflow-wrap:anywhere}
.tile span{color:var(--soft);font-size:13px;overflow-wrap:anywhere}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr));gap:22px 26px}
figure{margin:0;min-width:0}
figcaption{font-weight:600;margin-bottom:2px;overflow-wrap:anywhere}
.note{color:var(--soft);font-size:14px}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--soft);font-size:12px}
svg .in{fill:var(--ink)}
svg .end{text-anchor:end}svg .mid{text-anchor:middle}
.grid{stroke:var(--grid);stroke-width:1}.axis{stroke:var(--line);stroke-width:1}
.band{fill:var(--band)}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.dash{stroke-dasharray:5 4}
.k0{--k:var(--k0)}.k1{--k:var(--k1)}.k2{--k:var(--k2)}.k3{--k:var(--k3)}.k4{--k:var(--k4)}.k5{--k:var(--k5)}
.line{stroke:var(--k)}.dot{fill:var(--k)}.bar{fill:var(--k)}
.best{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3}
.bad{stroke:var(--bad);stroke-width:2;fill:none}
.hit{fill:transparent}
.tip{visibility:hidden;pointer-events:none}
.at:hover .tip{visibility:visible}
.tip rect{fill:var(--card);stroke:var(--line)}
.tip line{stroke:var(--soft);stroke-width:1}
.tip text{fill:var(--ink);font-size:11.5px}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:13px;color:var(--soft);margin:2px 0 4px}
.legend i{display:inline-block;width:20px;height:0;border-top:2px solid var(--k);vertical-align:middle;margin-right:6px}
.legend i.dash{border-top-style:dashed}
.box{fill:var(--card);stroke:var(--k0);stroke-width:1.3}
.flow{stroke:var(--soft);stroke-width:1.3;fill:none}.head{fill:var(--soft)}
.cell{fill:rgb(var(--heat))}.miss{fill:rgb(var(--miss))}
.frame{fill:none;stroke:var(--line)}
.ideal{stroke:var(--soft);stroke-dasharray:4 4;fill:none}
.scroll{overflow-x:auto;margin:8px 0}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:4px 14px 4px 0;border-bottom:1px solid var(--grid);vertical-align:top}
thead th{color:var(--soft);font-weight:600;white-space:nowrap}
tbody th{font-weight:400}
table:not(.numbers) tbody th{white-space:nowrap}
.numbers td,.numbers thead th+th{text-align:right}
td code,th code{overflow-wrap:anywhere}
code,pre{font:12.5px/1.45 ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace}
pre{overflow-x:auto;margin:8px 0}
details{margin:6px 0}
summary{cursor:pointer;color:var(--soft);font-size:13px}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(112px,1fr));gap:14px}
.pictures figcaption{font-weight:400;font-size:12.5px;line-height:1.35;margin-top:4px}
.pictures img{width:100%;aspect-ratio:1;object-fit:contain;image-rendering:pixelated;background:#000;border-radius:5px;
display:block}
.lines{white-space:pre-line;overflow-wrap:anywhere}
.wide{max-width:640px}
footer{color:var(--soft);font-size:13px;padding-bottom:30px}
@media(max-width:560px){header,main,footer{padding-left:12px;padding-right:12px}section{padding:14px}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}.tile b{font-size:18px}svg text{font-size:13px}}
@media print{section{break-inside:avoid}}
)css";
}

}  // namespace xgrad::nn::detail
