"""The JSON Schema of a settings document, for editors: `python -m muster.settings.schema` prints it.

`docs/settings.schema.json` is the output of this module; a test compares them.
"""

import json

from muster.settings.sections import Settings


def text() -> str:
    """Return the text of the published schema file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
        "title": "Settings of a Muster organization",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
