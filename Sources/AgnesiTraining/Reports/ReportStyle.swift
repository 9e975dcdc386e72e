/// How a report looks around its charts, whose colours it shares.
package enum ReportStyle {
  package static let css: HTML = "\(page)\n\(tiles)\n\(tables)\n\(pictures)\n\(narrow)"

  private static let page: HTML = """
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--page);color:var(--ink);
    font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
    header,main,footer{max-width:1120px;margin:0 auto;padding:0 28px}
    header{display:flex;justify-content:space-between;align-items:flex-end;gap:32px;
    padding-top:44px;padding-bottom:20px}
    h1{font-size:38px;line-height:1.15;letter-spacing:-.02em;margin:0 0 6px;text-wrap:balance}
    h2{font-size:23px;letter-spacing:-.01em;margin:52px 0 4px}
    h3{font-size:15px;margin:0 0 10px}
    p{margin:0}
    .kicker{color:var(--training);font-weight:600;font-size:14px;letter-spacing:.04em;
    margin-bottom:8px}
    .lead{color:var(--soft);max-width:76ch}
    section>.lead{margin-bottom:16px}
    section>.card,section>.pair,section>.mistakes{margin-top:16px}
    .notation{margin-top:14px}
    code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
    .notation code{font-size:15px;background:var(--card);border:1px solid var(--line);
    border-radius:8px;padding:5px 11px;overflow-wrap:anywhere;-webkit-box-decoration-break:clone;
    box-decoration-break:clone}
    .emblem{width:200px;flex:none}
    .emblem *{fill:none;stroke:var(--training);stroke-width:2.5;stroke-linecap:round}
    .emblem circle,.emblem .base{stroke:var(--line);stroke-width:1.5}
    .card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:20px}
    .pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px}
    .notes{list-style:none;margin:8px 0 20px;padding:12px 18px;background:var(--card);
    border:1px solid var(--line);border-left:4px solid var(--validation);border-radius:10px}
    footer{color:var(--soft);font-size:14px;padding-top:44px;padding-bottom:44px}
    :focus-visible{outline:2px solid var(--training);outline-offset:2px}
    """

  private static let tiles: HTML = """
    .tiles{display:flex;flex-wrap:wrap;background:var(--card);border:1px solid var(--line);
    border-radius:14px;overflow:hidden}
    .tile{flex:1 1 165px;display:flex;flex-direction:column;padding:18px 20px;
    box-shadow:1px 0 0 var(--line),0 1px 0 var(--line)}
    .tile .name{color:var(--soft);font-size:14px}
    .tile .value{font-size:27px;font-weight:600;letter-spacing:-.02em;white-space:nowrap;
    font-variant-numeric:tabular-nums;line-height:1.35}
    .tile.main{flex:1.5 1 250px}
    .tile.main .value{font-size:40px;line-height:1.1;margin:2px 0 3px}
    .tile .detail{color:var(--soft);font-size:13.5px}
    """

  private static let tables: HTML = """
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;font-variant-numeric:tabular-nums}
    .numbers{width:100%;font-size:14.5px}
    .numbers th,.numbers td{padding:7px 12px;text-align:right;white-space:nowrap;
    border-top:1px solid var(--grid)}
    .numbers thead th{border-top:0;color:var(--soft);font-weight:500}
    .numbers th:first-child{text-align:left;padding-left:0}
    .numbers td:last-child,.numbers th:last-child{padding-right:0}
    .numbers tbody th{font-weight:500}
    .numbers tfoot th,.numbers tfoot td{font-weight:600;border-top:1px solid var(--soft)}
    .numbers .kept td,.numbers .kept th{font-weight:600}
    .tag{font-size:12px;font-weight:500;color:var(--validation);border:1px solid currentColor;
    border-radius:9px;padding:0 7px;margin-left:6px}
    details{margin-top:14px}
    details .scroll{margin-top:10px}
    summary{cursor:pointer;color:var(--training);font-size:15px;width:fit-content}
    .confusion{border-collapse:separate;border-spacing:2px;font-size:14px;margin:0 auto}
    .confusion td{min-width:52px;height:38px;padding:0 6px;text-align:center;border-radius:5px}
    .confusion .none{color:var(--line)}
    .confusion .hit{background:rgb(var(--good)/var(--shade))}
    .confusion .miss{background:rgb(var(--bad)/var(--shade))}
    .confusion .strong{color:#fff;font-weight:600}
    .confusion th{font-weight:500;white-space:nowrap}
    .confusion tbody th,.confusion tfoot th{text-align:right;padding-right:10px}
    .confusion thead th{vertical-align:bottom;padding:0 0 6px}
    .confusion tbody th,.confusion tfoot th{position:sticky;left:0;background:var(--card)}
    .confusion:not(.short) thead th span{writing-mode:vertical-rl;transform:rotate(180deg);
    display:inline-block;text-align:left;max-height:150px}
    .confusion .corner{vertical-align:bottom;text-align:right;color:var(--soft);font-size:13px;
    padding:0 10px 6px 0;white-space:nowrap}
    .confusion .rate{color:var(--soft);font-size:13px;white-space:nowrap}
    .confusion tfoot th,.confusion thead .rate{color:var(--soft);font-weight:400;font-size:13px}
    .confusion tfoot td{color:var(--soft);font-size:13px}
    .confusion.compact td{min-width:7px;height:9px;padding:0;font-size:0;border-radius:1px}
    .confusion.compact{border-spacing:1px;font-size:9px}
    .confusion.compact .rate,.confusion.compact tfoot{display:none}
    dl{margin:0}
    dl>div{display:flex;justify-content:space-between;gap:20px;padding:6px 0;
    border-top:1px solid var(--grid);font-size:14.5px}
    dl>div:first-child{border-top:0}
    dt{color:var(--soft)}
    dd{margin:0;text-align:right;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
    .command{margin-top:18px}
    pre{margin:0;overflow-x:auto;font-size:14px;white-space:pre-wrap;overflow-wrap:anywhere}
    """

  private static let pictures: HTML = """
    img{image-rendering:pixelated;display:block}
    .mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(118px,1fr));gap:14px}
    figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:12px;
    padding:13px 8px 10px;text-align:center;font-size:14px;line-height:1.35}
    figure img{margin:0 auto 10px;border-radius:4px;max-width:100%;height:auto}
    figcaption span{display:block}
    .good{color:var(--good-ink);font-weight:600}
    .bad{color:var(--bad-ink)}
    .sure{color:var(--soft);font-size:12px;white-space:nowrap;font-variant-numeric:tabular-nums}
    .file{color:var(--soft);font-size:12px;overflow-wrap:anywhere}
    .kernels{display:flex;flex-wrap:wrap;gap:9px}
    .kernels img{border-radius:4px;box-shadow:0 0 0 1px var(--line)}
    .scale{display:flex;align-items:center;gap:10px;margin-top:16px;color:var(--soft);
    font-size:13.5px;font-variant-numeric:tabular-nums}
    .bar{width:180px;height:10px;border-radius:5px;box-shadow:0 0 0 1px var(--line);
    background:linear-gradient(90deg,rgb(30 84 160),rgb(146 190 228),rgb(250 250 250),
    rgb(243 160 134),rgb(176 28 44))}
    .broken{color:var(--bad-ink);font-size:13px;white-space:pre-wrap}
    """

  private static let narrow: HTML = """
    @media (max-width:820px){.pair{grid-template-columns:minmax(0,1fr)}.emblem{width:120px}}
    @media (max-width:560px){header,main,footer{padding-left:16px;padding-right:16px}
    header{padding-top:26px}h1{font-size:29px}h2{margin-top:40px}.emblem{display:none}
    .card{padding:14px}.confusion{margin:0}.confusion td{min-width:42px}
    .tile{flex-basis:45%;padding:13px 15px}.tile.main{flex-basis:100%}
    .tile .value{font-size:22px}.tile.main .value{font-size:34px}
    .mistakes{grid-template-columns:repeat(auto-fill,minmax(100px,1fr));gap:10px}}
    @media print{body{background:#fff}.card,figure,.tiles{break-inside:avoid}}
    """
}
