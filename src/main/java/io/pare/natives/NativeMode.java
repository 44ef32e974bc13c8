package io.pare.natives;

import java.util.Locale;

/** What {@code -Dpare.native} asks for. */
public enum NativeMode {
    /** Load the native libraries if that works; otherwise log one line and compute in Java. */
    AUTO,
    /** Load the native libraries; fail where they are first needed if that does not work. */
    ON,
    /** Never touch the native libraries. */
    OFF;

    /** The system property that chooses the mode. */
    public static final String PROPERTY = "pare.native";

    /** {@return the mode in force, {@link #AUTO} where the property is not set} Throws on any other word. */
    public static NativeMode fromProperty() {
        String word = System.getProperty(PROPERTY, "auto");
        for (NativeMode mode : values()) {
            if (mode.name().equals(word.toUpperCase(Locale.ROOT))) {
                return mode;
            }
        }
        throw new IllegalArgumentException("-D" + PROPERTY + "=" + word + ": use auto, on or off");
    }
}
