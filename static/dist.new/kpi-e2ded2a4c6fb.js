"use strict";(()=>{var l=`/* Indicators, on our own pages and inside other sites' pages (in a shadow root, where nothing of the site reaches). */
.indicators {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr));
  gap: 16px;
  padding: 0;
  margin: 0;
  list-style: none;
}
.indicator {
  display: grid;
  gap: 8px;
  align-content: start;
  padding: 20px;
  background: var(--card, #fff);
  color: var(--ink, #1d2a30);
  border: 1px solid var(--line, #ddd8cf);
  border-radius: 12px;
}
.indicator h2,
.indicator h3 {
  margin: 0;
  font-size: 1.0625rem;
  line-height: 1.3;
}
.indicator :is(h2, h3) a {
  color: inherit;
  text-decoration-color: var(--accent, #0b5f63);
}
.indicator p {
  margin: 0;
}
.indicator .now {
  font-size: 2rem;
  font-weight: 650;
  line-height: 1.1;
  letter-spacing: -0.01em;
  font-variant-numeric: tabular-nums;
}
.indicator .now.none {
  font-size: 1.25rem;
  color: var(--soft, #4c5a61);
}
.indicator .soft {
  color: var(--soft, #4c5a61);
  font-size: 0.875rem;
}
.indicator svg {
  inline-size: 100%;
  block-size: auto;
  overflow: visible;
}
.indicator svg text {
  font:
    11px system-ui,
    sans-serif;
  fill: var(--soft, #4c5a61);
}
.indicator .bar {
  fill: var(--accent, #0b5f63);
}
.indicator .bar.older {
  fill: color-mix(in oklab, var(--accent, #0b5f63) 45%, var(--card, #fff));
}
.indicator .ground {
  stroke: var(--edge, #7b858a);
}
.indicator .veil {
  fill: url(#hatch);
  stroke: var(--edge, #7b858a);
  stroke-width: 0.75;
}
.indicator details {
  border-block-start: 1px solid var(--line, #ddd8cf);
  padding-block-start: 8px;
}
.indicator summary {
  min-block-size: 44px;
  display: flex;
  align-items: center;
  cursor: pointer;
  color: var(--accent, #0b5f63);
  font-weight: 550;
}
.indicator table {
  inline-size: 100%;
  border-collapse: collapse;
  font-size: 0.9375rem;
  font-variant-numeric: tabular-nums;
}
.indicator caption {
  text-align: start;
  color: var(--soft, #4c5a61);
  font-size: 0.875rem;
  padding-block-end: 4px;
}
.indicator th,
.indicator td {
  text-align: start;
  padding: 6px 4px;
  border-block-end: 1px solid var(--line, #ddd8cf);
  font-weight: 400;
}
.indicator td {
  text-align: end;
}
.indicator td.veiled {
  background: repeating-linear-gradient(135deg, transparent 0 4px, var(--line, #ddd8cf) 4px 5px);
}
.indicator dl {
  display: grid;
  gap: 4px;
  margin: 0;
  font-size: 0.9375rem;
}
.indicator dt {
  font-weight: 600;
}
.indicator dd {
  margin: 0 0 8px;
}
.indicator :focus-visible {
  outline: 3px solid var(--accent, #0b5f63);
  outline-offset: 2px;
}
.source {
  color: var(--soft, #4c5a61);
  font-size: 0.875rem;
}
`;var n=document.currentScript instanceof HTMLScriptElement?document.currentScript:null,h=n?new URL(n.src).origin:"",p=/^[a-z0-9_-]*$/i,f={en:{failed:"The numbers cannot be shown just now.",open:"See them at the centre"},fr:{failed:"Les nombres ne peuvent pas \xEAtre montr\xE9s en ce moment.",open:"Les voir au centre"}},c=class extends HTMLElement{static observedAttributes=["centre","kpi","lang","src"];shown=this.attachShadow({mode:"open"});within=document.createElement("div");asked=0;connectedCallback(){let t=new CSSStyleSheet;t.replaceSync(`:host{display:block}.within{all:initial;display:block;font:400 16px/1.5 system-ui,sans-serif;color:#1d2a30}${l}`),this.shown.adoptedStyleSheets=[t],this.within.className="within",this.shown.replaceChildren(this.within),this.load()}attributeChangedCallback(){this.isConnected&&this.load()}async load(){let t=++this.asked,e=(this.getAttribute("lang")??document.documentElement.lang).startsWith("fr")?"fr":"en",o=this.getAttribute("centre")??"",s=this.getAttribute("kpi")??"",d=this.getAttribute("src")??h,m=`${d}/public/${o}/${e}/`;try{if(!p.test(o)||!p.test(s))throw new Error("name");let a=`${d}/embed/${o}/${e}/part${s?`?kpi=${s}`:""}`,i=await fetch(a,{credentials:"omit",referrerPolicy:"no-referrer"});if(!i.ok)throw new Error(String(i.status));let g=new DOMParser().parseFromString(await i.text(),"text/html");t===this.asked&&this.within.replaceChildren(...g.body.childNodes)}catch{if(t!==this.asked)return;let a=document.createElement("p"),i=document.createElement("a");i.href=m,i.textContent=f[e].open,a.append(`${f[e].failed} `,i),this.within.replaceChildren(a)}}};customElements.get("fieldapp-kpi")||customElements.define("fieldapp-kpi",c);if(n?.dataset.centre){let r=document.createElement("fieldapp-kpi");for(let t of["centre","kpi","lang"]){let e=n.dataset[t];e&&r.setAttribute(t,e)}r.setAttribute("src",h),n.after(r)}})();
