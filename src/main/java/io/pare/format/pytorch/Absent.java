package io.pare.format.pytorch;

/** Values of a pickle that nothing is read from. */
enum Absent {
    /** Python's None. */
    NONE,
    /** A value of a known kind that is no tensor, such as a device, or an option of a training. */
    INERT
}
