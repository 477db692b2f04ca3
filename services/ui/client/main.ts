document.getElementById("app")!.textContent = "Reef";
