import"./chunk-ML264G3N.js";
