import{a,b}from"./chunk-G2N4VJAQ.js";import"./chunk-S2FUBYP2.js";import"./chunk-TYWG42MM.js";import"./chunk-ETV66LC7.js";export{a as exchange,b as fetchManifestContent};
