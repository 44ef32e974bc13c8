package io.pare.run;

import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;

/** A network that nobody but its owner knows, and noise for it; a step takes next to nothing. */
final class OwnNet {
    static final Net MODEL = new NetBuilder("own", Shape.of(1, 4, 4)).flatten("flatten").linear("fc1", 8).relu("relu1")
            .linear("fc2", 3).build();
    /** Three epochs of four steps. */
    static final RunSettings SETTINGS =
            RunSettings.of(MODEL.name()).with(DataSettings.synthetic(72)).with(new RunSettings.Steps(3, 16)).seed(7);

    private OwnNet() {}

    static DataSets.Opened data() {
        return DataSets.open(SETTINGS.data(), MODEL, new DataSets.Loading(1), line -> {
        });
    }
}
