document.body.append("Reef");
