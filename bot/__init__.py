"""The foundation: WeCom, the pipeline, durable rows. It knows no word of banking."""
