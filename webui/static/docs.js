// Swagger UI over this hub's own description of its API.
"use strict";
window.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("swagger");
  window.SwaggerUIBundle({ url: place.dataset.spec, domNode: place, deepLinking: true });
});
