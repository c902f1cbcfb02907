"""The JSON Schema of a settings document, for editors: `python -m muster.settings.schema` prints it.

`docs/settings.schema.json` is this module's output; a test holds it to the models.
"""

import json

from muster.settings.sections import Settings


def text() -> str:
    """Return the schema as the file that is published."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
        "title": "Settings of a Muster organization",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
