"""What a container promises: pure values and judgement, no network, no Docker."""
